/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of message that operators wait for: each has an identity that never changes. */
#pragma once

enum message {
	MESSAGE_SPEC_ACCEPTED,
	MESSAGE_SPEC_REJECTED,
	MESSAGE_RECONCILED,
	MESSAGE_ITEM,
	MESSAGE_DEVICE,
	MESSAGE_REBOOT,
	MESSAGE_CONTESTED,
	MESSAGE_HEALED,
	MESSAGE_CUT,
	_MESSAGE_MAX,
	_MESSAGE_INVALID = -1, /* a line of no kind */
};

/* 32 hexadecimal digits: MESSAGE_ID= of the journal. */
const char *message_id(enum message message);
