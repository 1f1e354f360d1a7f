/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match.h"

#include "glob.h"

static bool fits(const char *glob, const char *text)
{
	return !glob || glob_match(glob, text ? text : "");
}

static bool present(const struct pci_id *wanted, const struct config_facts *facts)
{
	for (size_t i = 0; i < facts->n_ids; i++)
		if (pci_id_match(wanted, &facts->ids[i]))
			return true;
	return false;
}

bool match_holds(const struct match *match, const struct config_facts *facts)
{
	array_foreach(it, &match->has_device.list)
		if (!present(it, facts))
			return false;
	return fits(match->hostname, facts->hostname) &&
	       fits(match->machine_id, facts->machine_id) && fits(match->kernel, facts->kernel) &&
	       (match->cpu_vendor == CPU_OTHER || match->cpu_vendor == facts->cpu_vendor) &&
	       fits(match->dmi.vendor, facts->dmi_vendor) &&
	       fits(match->dmi.product, facts->dmi_product) &&
	       fits(match->dmi.board, facts->dmi_board);
}

bool match_given(const struct match *match)
{
	return match->hostname || match->machine_id || match->kernel ||
	       match->cpu_vendor != CPU_OTHER || match->dmi.vendor || match->dmi.product ||
	       match->dmi.board || match->has_device.list.n;
}
