/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "digest.h"

#include <sha2.h>

void digest_bytes(const void *bytes, size_t size, char ret[static DIGEST_TEXT_SIZE])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char sum[SHA256_DIGEST_LENGTH];
	SHA2_CTX ctx;

	SHA256Init(&ctx);
	SHA256Update(&ctx, bytes, size);
	SHA256Final(sum, &ctx);
	for (size_t i = 0; i < sizeof(sum); i++) {
		ret[2 * i] = hex[sum[i] >> 4];
		ret[2 * i + 1] = hex[sum[i] & 15];
	}
	ret[2 * sizeof(sum)] = '\0';
}
