/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be known, or not. */
#pragma once

enum tristate { UNKNOWN = -1, NO = 0, YES = 1 };
