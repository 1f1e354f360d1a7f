/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What rules must know of u-boot-menu. Pure. */
#pragma once

/* Of the files that u-boot-update sources: the kernel's line but for root= (2.25). */
#define UBOOT_VARIABLE "U_BOOT_PARAMETERS"
