/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of IP addresses in a capture: they tell where a host stands. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "capture-mask.h"
#include "observe-net.h"

/* Prefixes for documentation, as the files of /proc/net write them. */
#define FOUR_WORD  "0200C0" /* 192.0.2.N, its bytes backwards */
#define SIX_BYTES  "20010db800000000000000000000"
#define SIX_WORDS  "B80D01200000000000000000"
#define MAPPED	   "0000000000000000FFFF0000"
#define NUMBER_MAX 254 /* of a byte's */

/* --- numbers of addresses -------------------------------------------------------------------- */

/* From 1; 0: no use was found by it. */
static unsigned number_of(const struct masks *m, const char *text)
{
	for (size_t i = 0; i < m->host->addresses.n && i < NUMBER_MAX; i++)
		if (strcmp(m->host->addresses.at[i].text, text) == 0)
			return (unsigned)i + 1;
	return 0;
}

static bool is_six(const char *text)
{
	return strchr(text, ':');
}

/* n digits: bytes as they are sent, or words of four backwards. */
static bool text_of(const char *hex, size_t n, bool words, char ret[static INET6_ADDRSTRLEN])
{
	struct net_address a;
	char digits[33];

	snprintf(digits, sizeof(digits), "%.*s", (int)n, hex);
	if (words)
		return net_address_words(digits, &a) && net_address_write(&a, ret);
	return net_address_bytes(digits, &a) && inet_ntop(AF_INET6, a.at, ret, INET6_ADDRSTRLEN);
}

/* --- tables of the kernel -------------------------------------------------------------------- */

static bool is_hex(const char *field, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isxdigit((unsigned char)field[i]))
			return false;
	return true;
}

static void zeros(struct strbuf *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		strbuf_addc(out, '0');
}

/* if_inet6 and ipv6_route: 32 digits. */
int address_line(struct masks *m, const char *line, struct strbuf *out)
{
	while (*line) {
		size_t blank = strspn(line, " \t"), n = strcspn(line + blank, " \t");
		char text[INET6_ADDRSTRLEN];
		unsigned number = 0;
		bool address;

		strbuf_addn(out, line, blank);
		line += blank;
		address = n == 32 && is_hex(line, n);
		if (address && text_of(line, n, false, text))
			number = number_of(m, text);
		if (number)
			strbuf_addf(out, SIX_BYTES "%04x", number);
		else if (address)
			zeros(out, n);
		else
			strbuf_addn(out, line, n);
		line += n;
	}
	strbuf_add(out, "\n");
	return 0;
}

/* Iface Destination Gateway Flags RefCnt Use Metric Mask: the first two addresses. */
static int route4_line(struct masks *m _unused_, const char *line, struct strbuf *out)
{
	/* Of a capture that is captured again; written anew below. */
	if (strstr(line, FOUR_WORD "\t") && strstr(line, "\tFFFFFFFF"))
		return 0;
	for (unsigned field = 0; *line; field++) {
		size_t blank = strspn(line, " \t"), n = strcspn(line + blank, " \t");

		strbuf_addn(out, line, blank);
		line += blank;
		if ((field == 1 || field == 2) && n == 8 && is_hex(line, n))
			zeros(out, n);
		else
			strbuf_addn(out, line, n);
		line += n;
	}
	strbuf_add(out, "\n");
	return 0;
}

static int route6_line(struct masks *m, const char *line, struct strbuf *out)
{
	static const char written[] = SIX_BYTES;

	if (strncmp(line, written, sizeof(written) - 1) == 0 && strstr(line, " 80 "))
		return 0;
	return address_line(m, line, out);
}

int routes4(struct masks *m, const char *text, size_t size _unused_, struct strbuf *out)
{
	int err = mask_each_line(m, text, out, route4_line);

	array_foreach(it, &m->host->addresses) {
		unsigned number = number_of(m, it->text);

		if (number && it->iface && !is_six(it->text))
			strbuf_addf(out,
				    "%s\t%02X" FOUR_WORD "\t00000000\t0001\t0\t0\t0\tFFFFFFFF\n",
				    it->iface, number);
	}
	return err;
}

int routes6(struct masks *m, const char *text, size_t size _unused_, struct strbuf *out)
{
	static const char none[] = "00000000000000000000000000000000";
	int err = mask_each_line(m, text, out, route6_line);

	array_foreach(it, &m->host->addresses) {
		unsigned number = number_of(m, it->text);

		if (number && it->iface && is_six(it->text))
			strbuf_addf(out,
				    SIX_BYTES "%04x 80 %s 00 %s 00000100 00000001 00000000 "
					      "00000001 %s\n",
				    number, none, none, it->iface);
	}
	return err;
}

/* One end of a session; false: no use was found by it. */
static bool put_end(const struct masks *m, const char *hex, struct strbuf *out)
{
	char text[INET6_ADDRSTRLEN];
	size_t n = strlen(hex);
	unsigned number = 0;

	if ((n == 8 || n == 32) && text_of(hex, n, true, text))
		number = number_of(m, text);
	if (!number)
		return false;
	if (is_six(text))
		strbuf_addf(out, SIX_WORDS "%02X000000", number);
	else
		strbuf_addf(out, "%s%02X" FOUR_WORD, n == 32 ? MAPPED : "", number);
	return true;
}

/* "   1: 0600A8C0:0016 0700A8C0:C350 01 ...": only what is established, and no more of it. */
static int session_line(struct masks *m, const char *line, struct strbuf *out)
{
	_cleanup_strbuf_ struct strbuf one = {0};
	unsigned here_port, there_port, state;
	char here[33], there[33];

	if (sscanf(line, "%*u: %32[0-9A-Fa-f]:%4x %32[0-9A-Fa-f]:%4x %2x", here, &here_port, there,
		   &there_port, &state) != 5 ||
	    state != 1)
		return 0;
	strbuf_add(&one, "0: ");
	if (!put_end(m, here, &one))
		return 0;
	strbuf_addf(&one, ":%04X ", here_port);
	if (!put_end(m, there, &one))
		return 0;
	strbuf_addf(out, "%s:%04X 01\n", strbuf_text(&one), there_port);
	return one.error;
}

int sessions(struct masks *m, const char *text, size_t size _unused_, struct strbuf *out)
{
	return mask_each_line(m, text, out, session_line);
}

/* --- servers --------------------------------------------------------------------------------- */

/* As it is written in a capture; "masked" when no use was found by it. */
static const char *masked_address(const struct masks *m, const char *text, size_t n,
				  char ret[static INET6_ADDRSTRLEN])
{
	unsigned char bytes[16];
	int family = memchr(text, ':', n) ? AF_INET6 : AF_INET;
	unsigned number = 0;

	snprintf(ret, INET6_ADDRSTRLEN, "%.*s", (int)n, text);
	if (inet_pton(family, ret, bytes) == 1 && inet_ntop(family, bytes, ret, INET6_ADDRSTRLEN))
		number = number_of(m, ret);
	if (!number)
		return "masked";
	snprintf(ret, INET6_ADDRSTRLEN, family == AF_INET6 ? "2001:db8::%x" : "192.0.2.%u", number);
	return ret;
}

int server_address(struct masks *m, const char *text, size_t size _unused_, struct strbuf *out)
{
	char address[INET6_ADDRSTRLEN];

	strbuf_addf(out, "%s\n", masked_address(m, text, strcspn(text, "\n"), address));
	return 0;
}

/* Sources and options of network file systems name servers and people. */
int mount_line(struct masks *m, const char *line, struct strbuf *out)
{
	static const char *const types[] = {" - nfs ", " - nfs4 ", " - cifs ", " - smb3 "};
	const char *rest = NULL, *at;
	char address[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < ARRAY_LEN(types) && !rest; i++) {
		rest = strstr(line, types[i]);
		if (rest)
			rest += strlen(types[i]);
	}
	if (!rest) {
		strbuf_addf(out, "%s\n", line);
		return 0;
	}
	strbuf_addn(out, line, (size_t)(rest - line));
	rest += strcspn(rest, " ");
	rest += strspn(rest, " ");
	at = strstr(rest, ",addr=");
	strbuf_addf(out, "server %.*s", (int)strcspn(rest, ","), rest);
	if (at) {
		at += strlen(",addr=");
		strbuf_addf(out, ",addr=%s", masked_address(m, at, strcspn(at, ", "), address));
	}
	strbuf_add(out, "\n");
	return 0;
}
