/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of our modprobe.d file: options, ids= with its softdeps, blacklisted drivers. */
#include <string.h>

#include "early.h"
#include "planning.h"

static void add_options(struct planning *p, struct strbuf *out)
{
	const char *module = "";

	/* One line a module: options are sorted by module (6.7). */
	array_foreach(it, &p->options) {
		if (!it->ours || item_blocked(p, it->item))
			continue;
		if (strcmp(module, it->module) != 0)
			strbuf_addf(out, "%soptions %s", *module ? "\n" : "", it->module);
		module = it->module;
		strbuf_addf(out, " %s=%s", it->param, it->value);
	}
	strbuf_add(out, *module ? "\n" : "");
}

static bool by_ids(const struct planning *p, const struct device_wish *wish)
{
	return !wish->refused && !wish->foreign && wish->method == METHOD_IDS &&
	       !item_blocked(p, wish->item);
}

static int add_ids(struct planning *p, struct strbuf *out)
{
	struct words ids = {0};

	array_foreach(it, &p->devices) {
		if (!by_ids(p, it))
			continue;
		array_foreach(addr, &p->plan->devices.at[it->device].addrs) {
			const struct pci_id *id = &host_device(p->host, *addr)->id;
			const char *text = arena_printf(p->a, "%04x:%04x", id->vendor, id->device);

			if (!text || words_add(p->a, &ids, text) < 0)
				return -ENOMEM;
		}
	}
	for (size_t i = 0; i < ids.n; i++)
		strbuf_addf(out, "%s%s", i ? "," : "options vfio-pci ids=", ids.at[i]);
	strbuf_add(out, ids.n ? "\n" : "");
	return 0;
}

/* What the first softdep had, with vfio-pci put before it: only ours will count (6.9, 6.11). */
static int merged_softdep(struct planning *p, const char *driver, struct strbuf *out)
{
	const struct modprobe_line *old = modprobe_softdep(&p->foreign, driver);
	struct modprobe embedded = {0};
	const char *rest = "";

	array_foreach(k, &p->host->kernels) {
		struct modprobe_source source = {.path = "modules.softdep",
						 .text = k->modules_softdep};

		if (old)
			break;
		if (modprobe_parse(p->a, &source, 1, &embedded) < 0)
			return -ENOMEM;
		old = modprobe_softdep(&embedded, driver);
	}
	rest = old ? old->rest : "";
	if (strncmp(rest, "pre:", 4) == 0)
		strbuf_addf(out, "softdep %s pre: vfio-pci%s\n", driver, rest + 4);
	else
		strbuf_addf(out, "softdep %s pre: vfio-pci%s%s\n", driver, *rest ? " " : "", rest);
	return 0;
}

static int add_softdeps(struct planning *p, struct strbuf *out)
{
	struct words done = {0};

	array_foreach(it, &p->devices) {
		if (!by_ids(p, it))
			continue;
		array_foreach(driver, &it->drivers) {
			int added = words_add(p->a, &done, *driver);

			/* A softdep would undo an install line (6.10), which blocks it already. */
			if (added < 0 || (added && !modprobe_install(&p->foreign, *driver) &&
					  merged_softdep(p, *driver, out) < 0))
				return -ENOMEM;
		}
	}
	return 0;
}

int modprobe_text(struct planning *p, const char **ret)
{
	_cleanup_strbuf_ struct strbuf body = {0}, out = {0};

	add_options(p, &body);
	if (add_ids(p, &body) < 0 || add_softdeps(p, &body) < 0)
		return -ENOMEM;
	array_foreach(it, &p->blacklist)
		if (it->ours && !item_blocked(p, it->item))
			strbuf_addf(&body, "blacklist %s\n", it->text);
	if (body.error)
		return body.error;
	if (body.len)
		strbuf_addf(&out, MANAGED_BY "%s", strbuf_text(&body));
	return strbuf_to_arena(&out, p->a, ret);
}
