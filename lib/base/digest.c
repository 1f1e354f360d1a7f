/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "digest.h"

#include <sha1.h>
#include <sha2.h>

static void put_hex(const unsigned char *sum, size_t size, char *ret)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		ret[2 * i] = hex[sum[i] >> 4];
		ret[2 * i + 1] = hex[sum[i] & 15];
	}
	ret[2 * size] = '\0';
}

void digest_bytes(const void *bytes, size_t size, char ret[static DIGEST_TEXT_SIZE])
{
	unsigned char sum[SHA256_DIGEST_LENGTH];
	SHA2_CTX ctx;

	SHA256Init(&ctx);
	SHA256Update(&ctx, bytes, size);
	SHA256Final(sum, &ctx);
	put_hex(sum, sizeof(sum), ret);
}

void digest_sha1(const void *bytes, size_t size, char ret[static SHA1_TEXT_SIZE])
{
	unsigned char sum[SHA1_DIGEST_LENGTH];
	SHA1_CTX ctx;

	SHA1Init(&ctx);
	SHA1Update(&ctx, bytes, size);
	SHA1Final(sum, &ctx);
	put_hex(sum, sizeof(sum), ret);
}
