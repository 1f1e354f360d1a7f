/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's log: what it says of hardware, of its own line, and of who took a device. */
#include <ctype.h>

#include "observe-parts.h"

static const char *const saved_logs[] = {"/var/log/dmesg", "/var/log/kern.log", "/var/log/syslog",
					 "/var/log/messages"};

/* Saved logs run on over boots: only the last one counts. */
static const char *last_boot(const char *log)
{
	const char *start = log, *at = log;

	while ((at = strstr(at, "Linux version "))) {
		start = at;
		at++;
	}
	return start;
}

/* The last line of log that has one of the messages, in the host's arena; NULL when none has. */
static const char *find_message(struct observer *o, const char *log, const struct message *messages,
				size_t n, enum tristate *ret)
{
	const char *best = NULL;

	for (size_t i = 0; i < n; i++)
		for (const char *at = log; (at = strstr(at, messages[i].text)); at++)
			if (!best || at > best) {
				best = at;
				*ret = messages[i].says;
			}
	if (!best)
		return NULL;
	while (best > log && best[-1] != '\n')
		best--;
	best = next_line(o, &best);
	return best ? keep(o, best) : NULL;
}

/* The log that counts, or the next one of those saved, and what to call it; NULL after the last. */
static const char *see_log(struct observer *o, size_t *i, const char **ret_name)
{
	const char *log = NULL;
	int err = *i ? -ENOENT : o->tree->ops->kernel_log(o->tree, o->scratch, &log);

	kept(o, err != -ENOMEM);
	if (err == 0) {
		*ret_name = "kernel log";
		*i = ARRAY_LEN(saved_logs);
		return log;
	}
	while (!log && *i < ARRAY_LEN(saved_logs)) {
		*ret_name = saved_logs[*i];
		log = see_text(o, MAX_INDEX, "%s", saved_logs[(*i)++]);
	}
	return log ? last_boot(log) : NULL;
}

const char *search_logs(struct observer *o, const struct message *messages, size_t n,
			enum tristate *ret)
{
	const char *log, *line, *name;
	size_t i = 0;

	while ((log = see_log(o, &i, &name))) {
		line = find_message(o, log, messages, n, ret);
		if (line)
			return keep_printf(o, "%s: %s", name, line);
	}
	return NULL;
}

/* --- who took a device ------------------------------------------------------------------------ */

/* The seconds in "[    0.812345] " before at, on its line. */
static const char *time_before(struct observer *o, const char *log, const char *at)
{
	const char *end = NULL, *start;

	while (at > log && at[-1] != '\n') {
		if (*at == ']' && !end)
			end = at;
		if (*at == '[')
			break;
		at--;
	}
	start = at + 1 + strspn(at + 1, " ");
	if (*at != '[' || !end || !isdigit((unsigned char)*start) ||
	    strspn(start, "0123456789.") != (size_t)(end - start))
		return NULL;
	return arena_strndup(o->a, start, (size_t)(end - start));
}

/* A driver's messages on a function begin with the names of both. */
static void see_taker(struct observer *o, const char *log, struct host_device *d)
{
	char address[PCI_ADDR_TEXT_SIZE];
	const char *head, *at;

	pci_addr_format(d->addr, address);
	head = arena_printf(o->scratch, "] %s %s: ", d->driver, address);
	at = kept(o, head != NULL) ? strstr(log, head) : NULL;
	if (at)
		d->taken = time_before(o, log, at);
}

void observe_takers(struct observer *o)
{
	const char *name, *log;
	size_t i = 0;

	log = see_log(o, &i, &name);
	array_foreach(it, &o->host->devices)
		if (log && it->driver)
			see_taker(o, log, it);
}
