/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Identities (serial numbers, MAC addresses, machine ids) as captures show them: a stable digest,
 * so that they can be compared and not read (contract note 7). It hides them from readers, not
 * from somebody who tries all values of a short one. Pure.
 */
#pragma once

#include <stdbool.h>

#define MASK_TEXT_SIZE 24

/*
 * Writes "masked-" and 16 hexadecimal digits to ret, equal for texts that differ in case or in
 * blanks around them; a masked text stays as it is. Returns ret.
 */
const char *identity_mask(const char *text, char ret[static MASK_TEXT_SIZE]);

/* Whether text is what identity_mask() makes. */
bool identity_masked(const char *text);

/*
 * Whether two identities are the same, in either case: both plain, both masked, or one of a
 * capture and one of a spec. Empty ones are never.
 */
bool identity_equal(const char *a, const char *b);
