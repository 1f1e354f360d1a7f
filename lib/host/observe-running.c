/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The running system: its names, the kernel's line, modules and their parameters. */
#include "observe-parts.h"

#define DMI "/sys/class/dmi/id"

/* Modules whose parameters are always wanted: what design section 3 can set by itself. */
static const char *const own_modules[] = {
	"kvm", "kvm_amd", "kvm_intel", "vfio", "vfio_iommu_type1", "vfio_pci", "vfio_pci_core",
};

static const char *line_or_empty(struct observer *o, const char *line)
{
	return line ? keep(o, line) : "";
}

static void observe_names(struct observer *o)
{
	struct host *host = o->host;
	const char *name = see_line(o, "/proc/sys/kernel/hostname");

	if (!name || !*name)
		name = see_line(o, "/etc/hostname");
	host->hostname = line_or_empty(o, name);
	host->machine_id = line_or_empty(o, see_line(o, "/etc/machine-id"));
	host->boot_id = line_or_empty(o, see_line(o, "/proc/sys/kernel/random/boot_id"));
	host->running_version = line_or_empty(o, see_line(o, "/proc/sys/kernel/osrelease"));
	host->dmi_vendor = line_or_empty(o, see_line(o, DMI "/sys_vendor"));
	host->dmi_product = line_or_empty(o, see_line(o, DMI "/product_name"));
	host->dmi_board = line_or_empty(o, see_line(o, DMI "/board_name"));
}

static void observe_cmdline(struct observer *o)
{
	const char *text = see_text(o, MAX_LINE, "/proc/cmdline");
	size_t n = text ? strlen(text) : 0;
	const char *line;

	if (!text)
		return;
	/* One newline is the file's, not the line's (1.17). */
	if (n && text[n - 1] == '\n')
		n--;
	line = arena_strndup(o->a, text, n);
	if (!kept(o, line))
		return;
	o->host->cmdline = line;
	o->host->cmdline_known = true;
}

static int by_name(const void *a, const void *b)
{
	const struct host_module *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void add_module(struct observer *o, const char *name, bool builtin)
{
	struct host_module m = {.name = keep(o, name), .builtin = builtin};

	kept(o, array_push(o->a, &o->host->modules, m) == 0);
}

static void sort_modules(struct host *host)
{
	if (host->modules.n)
		qsort(host->modules.at, host->modules.n, sizeof(*host->modules.at), by_name);
}

/* What /sys/module has and /proc/modules has not is built in. */
static void add_builtins(struct observer *o)
{
	struct words names = see_list(o, "/sys/module");
	size_t loadable = o->host->modules.n;
	struct host known = {0};

	known.modules.at = o->host->modules.at;
	known.modules.n = loadable;
	array_foreach(it, &names) {
		/* A module that grows the array leaves the known part's old copy valid. */
		if (!host_module(&known, *it))
			add_module(o, *it, true);
	}
}

static void observe_params(struct observer *o, struct host_module *m)
{
	struct words names = see_list(o, "/sys/module/%s/parameters", m->name);

	array_foreach(it, &names) {
		const char *value = see_line(o, "/sys/module/%s/parameters/%s", m->name, *it);
		struct host_param p = {.name = keep(o, *it), .value = keep(o, value)};
		struct tree_stat st;

		/* A parameter that may only be written has no value to compare. */
		if (!p.value)
			continue;
		p.writable = see_stat(o, &st, "/sys/module/%s/parameters/%s", m->name, *it) &&
			     st.mode & S_IWUSR;
		kept(o, array_push(o->a, &m->params, p) == 0);
	}
}

static bool params_wanted(const struct observer *o, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(own_modules); i++)
		if (strcmp(own_modules[i], name) == 0)
			return true;
	return o->options->modules && words_has(o->options->modules, name);
}

static void observe_modules(struct observer *o)
{
	const char *text = see_text(o, MAX_CONFIG, "/proc/modules");

	o->host->modules_known = text;
	for (const char *line; text && (line = next_line(o, &text));) {
		const char *name = field_of(o, line, 0);

		if (name)
			add_module(o, name, false);
	}
	sort_modules(o->host);
	/* Without the list of what is loaded nothing can be told to be built in. */
	if (o->host->modules_known)
		add_builtins(o);
	sort_modules(o->host);
	array_foreach(it, &o->host->modules)
		if (params_wanted(o, it->name))
			observe_params(o, it);
}

void observe_running(struct observer *o)
{
	observe_names(o);
	observe_cmdline(o);
	observe_modules(o);
}
