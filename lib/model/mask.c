/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mask.h"

#include <string.h>
#include <strings.h>

#include "digest.h"

#define PREFIX	   "masked-"
#define DIGITS	   16
#define LENGTH_MAX 256 /* of an identity that differs from others */

bool identity_masked(const char *text)
{
	size_t n = sizeof(PREFIX) - 1;

	return strncmp(text, PREFIX, n) == 0 && strspn(text + n, "0123456789abcdef") == DIGITS &&
	       strlen(text) == n + DIGITS;
}

const char *identity_mask(const char *text, char ret[static MASK_TEXT_SIZE])
{
	char plain[LENGTH_MAX], digest[DIGEST_TEXT_SIZE];
	size_t n;

	text += strspn(text, " \t\n");
	n = strnlen(text, sizeof(plain) - 1);
	while (n && strchr(" \t\n", text[n - 1]))
		n--;
	for (size_t i = 0; i < n; i++)
		plain[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] | 0x20 : text[i]);
	plain[n] = '\0';
	if (identity_masked(plain)) {
		memcpy(ret, plain, MASK_TEXT_SIZE);
		return ret;
	}
	digest_bytes(plain, n, digest);
	memcpy(ret, PREFIX, sizeof(PREFIX) - 1);
	memcpy(ret + sizeof(PREFIX) - 1, digest, DIGITS);
	ret[sizeof(PREFIX) - 1 + DIGITS] = '\0';
	return ret;
}

bool identity_equal(const char *a, const char *b)
{
	char masked_a[MASK_TEXT_SIZE], masked_b[MASK_TEXT_SIZE];

	if (!*a || !*b)
		return false;
	if (strcasecmp(a, b) == 0)
		return true;
	return identity_masked(a) != identity_masked(b) &&
	       strcmp(identity_mask(a, masked_a), identity_mask(b, masked_b)) == 0;
}
