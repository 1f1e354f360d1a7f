/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests' configurations of Proxmox VE as text: sections, what is pending, mappings (9.8-9.11). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "qm-config.h"
#include "strbuf.h"

static const char *shown(const char *s)
{
	return s ? s : "-";
}

static const struct {
	const char *text;
	const char *said; /* "live hostpci0 | pending | next; machine next; sections; strange" */
} rows[] = {
	{"", "- | - | -; -; 1; 0"},
	{"hostpci0: 01:00\n", "01:00 | - | 01:00; -; 1; 0"},
	{"#hostpci0: 09:00\n# a: b\n\nhostpci0: 0000:01:00,pcie=1\nmachine: q35\n",
	 "0000:01:00,pcie=1 | - | 0000:01:00,pcie=1; q35; 1; 0"},
	/* blanks around a value, none behind the colon, lines that end as on Windows */
	{"hostpci0:   01:00 \t\nmachine:q35\n", "01:00 | - | 01:00; q35; 1; 0"},
	{"hostpci0: 01:00\r\nmachine: q35\r\n\r\n[PENDING]\r\nmachine: pc\r\n",
	 "01:00 | - | 01:00; pc; 2; 0"},
	{"hostpci0: 01:00", "01:00 | - | 01:00; -; 1; 0"},
	/* the last one counts */
	{"hostpci0: 01:00\nhostpci0: 02:00\n", "02:00 | - | 02:00; -; 1; 0"},
	/* what is pending comes with the next start, and goes with it */
	{"hostpci0: 01:00\n\n[PENDING]\nhostpci0: 02:00\n", "01:00 | 02:00 | 02:00; -; 2; 0"},
	{"hostpci0: 01:00\nmachine: q35\n[pending]\ndelete: hostpci0,net1\n",
	 "01:00 | - | -; q35; 2; 0"},
	{"hostpci0: 01:00\nmachine: q35\n[PENDING]\ndelete: net1 !machine;hostpci0\n",
	 "01:00 | - | -; -; 2; 0"},
	/* snapshots and special sections are none of the guest's */
	{"machine: q35\n\n[snap_1]\nhostpci0: 01:00\nmachine: pc\n", "- | - | -; q35; 2; 0"},
	{"[special:cloudinit]\nhostpci0: 01:00\nwhat is this\n[special:fleecing]\n",
	 "- | - | -; -; 3; 0"},
	{"[]\nhostpci0: 01:00\n[a b]\nx\n", "- | - | -; -; 3; 0"},
	/* a bracket that is none, and lines that say nothing */
	{"[x\nhostpci0: 01:00\n", "01:00 | - | 01:00; -; 1; 1"},
	{"hostpci0: 01:00\nwhat is this\n", "01:00 | - | 01:00; -; 1; 2"},
	{"hostpci0:\n: 01:00\nHostpci0: 02:00\n", "- | - | -; -; 1; 1"},
	{" hostpci0: 01:00\n", "- | - | -; -; 1; 1"},
	{"description: hostpci0: 01:00\nargs: -device x,host=01:00.0\n", "- | - | -; -; 1; 0"},
};

static void sections(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct qm_config config;
		const char *said;

		assert_int_equal(qm_config_parse(a, rows[i].text, &config), 0);
		said = arena_printf(a, "%s | %s | %s; %s; %zu; %u",
				    shown(qm_section_value(qm_config_live(&config), "hostpci0")),
				    shown(qm_section_value(qm_config_pending(&config), "hostpci0")),
				    shown(qm_config_next(&config, "hostpci0")),
				    shown(qm_config_next(&config, "machine")), config.sections.n,
				    config.strange);
		assert_string_equal(said, rows[i].said);
	}
}

static void snapshot_names(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct qm_config config;

	(void)state;
	assert_int_equal(qm_config_parse(a, "a: b\n[one-1]\nc: d\n[special:x]\n", &config), 0);
	assert_int_equal(config.sections.at[1].kind, QM_SNAPSHOT);
	assert_string_equal(config.sections.at[1].name, "one-1");
	assert_string_equal(qm_section_value(&config.sections.at[1], "c"), "d");
	assert_int_equal(config.sections.at[2].kind, QM_SPECIAL);
}

static void indexes(void **state)
{
	static const struct {
		const char *key;
		int index;
	} keys[] = {{"hostpci0", 0},   {"hostpci15", 15}, {"hostpci16", -1},  {"hostpci", -1},
		    {"hostpci01", -1}, {"hostpci1x", -1}, {"hostpci123", -1}, {"net0", -1}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		assert_int_equal(qm_hostpci_index(keys[i].key), keys[i].index);
}

/* --- mappings -------------------------------------------------------------------------------- */

static void show_map(struct strbuf *out, const struct guest_map *map)
{
	char text[PCI_ADDR_TEXT_SIZE > PCI_ID_TEXT_SIZE ? PCI_ADDR_TEXT_SIZE : PCI_ID_TEXT_SIZE];

	strbuf_addf(out, " [%s %s %d", map->node, map->has_id ? pci_id_format(&map->id, text) : "-",
		    map->group);
	array_foreach(it, &map->functions)
		strbuf_addf(out, " %s%s", pci_addr_format(it->addr, text),
			    it->whole_slot ? "*" : "");
	strbuf_add(out, "]");
}

static const struct {
	const char *text, *said;
} mappings[] = {
	{"", ""},
	{"gpu\n\tdescription the big one\n\tmap id=10de:1b81,iommugroup=14,node=pve1,"
	 "path=0000:01:00,subsystem-id=1462:3302\n\tmap node=pve2,path=0000:02:00.0;0000:02:00.1,"
	 "id=10de:1b81\n\nnic\n\tmap node=pve1,path=0000:05:10.1,id=8086:10ed\n\tmdev 1\n",
	 "gpu [pve1 10de:1b81:1462:3302 14 0000:01:00.0*]"
	 " [pve2 10de:1b81 -1 0000:02:00.0 0000:02:00.1] nic [pve1 8086:10ed -1 0000:05:10.1]"},
	/* blanks, comments, ends as on Windows */
	{"#x\ngpu \r\n   # y\n   map   node=a,path=0000:01:00.0,id=1:2  \r\n",
	 "gpu [a - -1 0000:01:00.0]"},
	/* behind an empty line nothing belongs to it */
	{"gpu\n\n\tmap node=a,path=0000:01:00.0\n", "gpu"},
	{"two words\n\tmap node=a,path=0000:01:00.0\n", ""},
	{"\tmap node=a,path=0000:01:00.0\n", ""},
	/* a line that cannot be read is nobody's, and is kept */
	{"gpu\n\tmap node=a,node=b\n\tmap\n\tmapping x\n\tmap node=b,path=0:1,iommugroup=x\n",
	 "gpu [ - -1] [b - -1]"},
};

static void cluster_mappings(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(mappings); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		_cleanup_strbuf_ struct strbuf out = {0};
		struct qm_mappings m;

		assert_int_equal(qm_mappings_parse(a, mappings[i].text, &m), 0);
		array_foreach(it, &m.list) {
			strbuf_addf(&out, "%s%s", out.len ? " " : "", it->name);
			array_foreach(map, &it->maps)
				show_map(&out, map);
		}
		assert_string_equal(strbuf_text(&out), mappings[i].said);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections),
		cmocka_unit_test(snapshot_names),
		cmocka_unit_test(indexes),
		cmocka_unit_test(cluster_mappings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
