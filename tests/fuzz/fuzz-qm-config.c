/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as VMID.conf, and as mapping/pci.cfg. Comments change nothing, what stands behind
 * counts before what it repeats, sections part, and a mapping put behind is read.
 */
#include "must.h"

#include "qm-config.h"

static void try_config(struct arena *a, const char *text)
{
	struct qm_config config, more;
	const char *before;

	MUST(qm_config_parse(a, text, &config) == 0);
	MUST(config.sections.n && qm_config_live(&config)->kind == QM_LIVE);
	before = qm_section_value(qm_config_live(&config), "hostpci1");
	MUST(qm_config_parse(a, arena_printf(a, "#x\n\n%s\n#hostpci1: y\n", text), &more) == 0);
	MUST(more.sections.n == config.sections.n);
	MUST(!before == !qm_section_value(qm_config_live(&more), "hostpci1"));
	MUST(qm_config_parse(
		     a, arena_printf(a, "%s\n[PENDING]\nhostpci1: z z\ndelete: net0,!cpu\n", text),
		     &more) == 0);
	MUST(strcmp(qm_config_next(&more, "hostpci1"), "z z") == 0);
	MUST(!qm_config_next(&more, "net0") && !qm_config_next(&more, "cpu"));
	MUST(!before == !qm_section_value(qm_config_live(&more), "hostpci1"));
	array_foreach(section, &config.sections)
		array_foreach(it, &section->lines)
			MUST(*it->key && *it->value && !strchr(it->value, '\n'));
}

static void try_mappings(struct arena *a, const char *text)
{
	struct qm_mappings mappings, more;
	const struct guest_mapping *last;

	MUST(qm_mappings_parse(a, text, &mappings) == 0);
	MUST(qm_mappings_parse(a,
			       arena_printf(a,
					    "%s\n\n#\nzz\n\tmap node=n,id=1234:abcd,"
					    "path=0000:01:00.1,iommugroup=7\n",
					    text),
			       &more) == 0);
	MUST(more.list.n == mappings.list.n + 1);
	last = &more.list.at[mappings.list.n];
	MUST(strcmp(last->name, "zz") == 0 && last->maps.n == 1 && last->maps.at[0].group == 7);
	MUST(last->maps.at[0].has_id && last->maps.at[0].functions.n == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text;

	must_split(a, data, size, &text, 1);
	try_config(a, text);
	try_mappings(a, text);
	return 0;
}
