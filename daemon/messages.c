/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conf/journal/passthroughd.catalog explains each of them. */
#include "messages.h"

const char *message_id(enum message message)
{
	static const char *const ids[_MESSAGE_MAX] = {
		[MESSAGE_SPEC_ACCEPTED] = "e8b8ec0915184b9c852b30ade856dbb0",
		[MESSAGE_SPEC_REJECTED] = "249a9a43ca0547bc9825d7bce29dbcea",
		[MESSAGE_RECONCILED] = "f1e6045c0cbb497d957295eb51d2269b",
		[MESSAGE_ITEM] = "7d8a56cf4f744e0b8f4950a2ec40d4d1",
		[MESSAGE_DEVICE] = "5ea59c857e8b47d5895421ddde010d50",
		[MESSAGE_REBOOT] = "64652ae5eb3a4392b2b45e02da7cb7f0",
		[MESSAGE_CONTESTED] = "800f8917ff1e4c02bcf712bb49b3da91",
		[MESSAGE_HEALED] = "0128d5ee506d469eac98e390e574d833",
		[MESSAGE_CUT] = "4ad893e114e4428493202f46d26ddf47",
	};

	return ids[message];
}
