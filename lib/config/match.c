/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match.h"

#include "glob.h"

static bool present(const struct pci_id *wanted, const struct config_facts *facts)
{
	for (size_t i = 0; i < facts->n_ids; i++)
		if (pci_id_match(wanted, &facts->ids[i]))
			return true;
	return false;
}

struct clause {
	const char *name;
	const char *glob; /* NULL: not given */
	const char *fact;
};

static int say(const char **ret, const char *text)
{
	*ret = text;
	return text ? 0 : -ENOMEM;
}

int match_missed(struct arena *a, const struct match *match, const struct config_facts *facts,
		 const char **ret)
{
	const struct clause clauses[] = {
		{"hostname", match->hostname, facts->hostname},
		{"machine-id", match->machine_id, facts->machine_id},
		{"kernel", match->kernel, facts->kernel},
		{"dmi.vendor", match->dmi.vendor, facts->dmi_vendor},
		{"dmi.product", match->dmi.product, facts->dmi_product},
		{"dmi.board", match->dmi.board, facts->dmi_board},
	};
	char text[PCI_ID_TEXT_SIZE];

	*ret = NULL;
	for (size_t i = 0; i < ARRAY_LEN(clauses); i++) {
		const char *fact = clauses[i].fact ? clauses[i].fact : "";

		if (clauses[i].glob && !glob_match(clauses[i].glob, fact))
			return say(ret, arena_printf(a, "%s is \"%s\", which %s does not fit",
						     clauses[i].name, fact, clauses[i].glob));
	}
	if (match->cpu_vendor != CPU_OTHER && match->cpu_vendor != facts->cpu_vendor)
		return say(ret, "the CPU is of another cpu-vendor");
	array_foreach(it, &match->has_device.list)
		if (!present(it, facts))
			return say(ret,
				   arena_printf(a, "no device is %s", pci_id_format(it, text)));
	return 0;
}

bool match_given(const struct match *match)
{
	return match->hostname || match->machine_id || match->kernel ||
	       match->cpu_vendor != CPU_OTHER || match->dmi.vendor || match->dmi.product ||
	       match->dmi.board || match->has_device.list.n;
}
