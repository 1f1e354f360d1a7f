/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests of Proxmox VE as its cluster file system has them (9.7 to 9.13). */
#include "observe-text.h"

#include "digest.h"
#include "paths.h"

#define HERE	"[/etc/pve]\nlocal -> nodes/pve1\n[/usr/sbin]\nqm = x\nqm @ 0755 0 0\n"
#define CONF(n) "[/etc/pve/nodes/pve1/qemu-server]\n" n ".conf <<\n"

static void show_config(struct strbuf *out, const struct guest_config *config)
{
	char text[PCI_ADDR_TEXT_SIZE];

	strbuf_addf(out, " {%s%s%s%s%s%s%s", config->machine ? config->machine : "-",
		    config->q35 ? " q35" : "", config->uefi ? " uefi" : "",
		    config->display ? " vga=" : "", config->display ? config->display : "",
		    config->cpu ? " cpu=" : "", config->cpu ? config->cpu : "");
	array_foreach(it, &config->devices) {
		strbuf_addf(out, "; %s%s%s =", it->key, it->mapping ? " by " : "",
			    it->mapping ? it->mapping : "");
		array_foreach(f, &it->functions)
			strbuf_addf(out, " %s%s", pci_addr_format(f->addr, text),
				    f->whole_slot ? "*" : "");
		strbuf_add(out, it->mediated ? " mediated" : "");
	}
	strbuf_add(out, "}");
}

static void show_guest(struct strbuf *out, const struct host_guest *guest)
{
	strbuf_addf(out, "%s%s%s%s%s%s%s%s%s%s%s%s%s", guest->name, guest->title ? " " : "",
		    guest->title ? guest->title : "", guest->node ? " on " : "",
		    guest->node ? guest->node : "", guest->bad ? " bad: " : "",
		    guest->bad ? guest->bad : "", guest->lock ? " lock=" : "",
		    guest->lock ? guest->lock : "", guest->template_ ? " template" : "",
		    guest->autostart ? " onboot" : "", guest->running == YES ? " running" : "",
		    guest->digest ? "" : " no-digest");
	show_config(out, &guest->next);
	if (guest->running == YES) {
		strbuf_add(out, " now");
		show_config(out, &guest->now);
	}
	array_foreach(it, &guest->pending)
		strbuf_addf(out, " pending:%s", *it);
	array_foreach(it, &guest->snapshots)
		strbuf_addf(out, " snapshot:%s", *it);
	strbuf_add(out, "\n");
}

static const struct {
	const char *body, *said;
} rows[] = {
	/* plain; what decides is told, what does not is not */
	{CONF("101") "\tagent: 1\n\tbios: ovmf\n\tcpu: host\n\thostpci0: 01:00,pcie=1\n"
		     "\tmachine: q35\n\tname: games\n\tonboot: 1\n\tvga: none\n",
	 "101 games onboot {q35 q35 uefi vga=none cpu=host; hostpci0 = 0000:01:00.0*}\n"},
	/* no devices, no machine; locked; a template */
	{CONF("100") "\tlock: backup\n\tmemory: 512\n102.conf <<\n\ttemplate: 1\n\tonboot: 0\n",
	 "100 lock=backup {-}\n102 template {-}\n"},
	/* order of numbers, what cannot be read, a share, the last of two lines */
	{CONF("9") "\thostpci10: 01:00.0;02:00.1\n\thostpci2: 0000:03:00.0,mdev=nvidia-63\n"
		   "\thostpci3: host=01:00,mapping=x\n\thostpci4: what\n\thostpci16: 04:00\n"
		   "\tmachine: pc-q35-8.1+pve0,viommu=intel\n\tmachine: pc-i440fx-9.0\n",
	 "9 {pc-i440fx-9.0; hostpci2 = 0000:03:00.0 mediated; hostpci3 by x =; hostpci4 =; "
	 "hostpci10 = 0000:01:00.0 0000:02:00.1}\n"},
	/* what is pending, of a guest that runs, and of one that does not any more */
	{CONF("101") "\thostpci0: 01:00\n\tmachine: q35\n\t\n\t[PENDING]\n\tdelete: machine\n"
		     "\thostpci1: 02:00\n102.conf <<\n\thostpci0: 01:00\n\t[PENDING]\n"
		     "\tdelete: hostpci0\n[/run/qemu-server]\n101.pid = 77\n102.pid = 78\n"
		     "[/proc/77]\ncomm = kvm\n",
	 "101 running {-; hostpci0 = 0000:01:00.0*; hostpci1 = 0000:02:00.0*}"
	 " now {q35 q35; hostpci0 = 0000:01:00.0*} pending:hostpci1 pending:machine\n"
	 "102 {-} pending:hostpci0\n"},
	/* snapshots that have other devices: more, others, fewer */
	{CONF("101") "\thostpci0: 01:00\n\t\n\t[same]\n\thostpci0: 01:00\n\t[more]\n"
		     "\thostpci0: 01:00\n\thostpci1: 02:00\n\t[other]\n\thostpci0: 03:00\n"
		     "\t[fewer]\n\tmachine: q35\n\t[special:cloudinit]\n\tname: x\n",
	 "101 {-; hostpci0 = 0000:01:00.0*} snapshot:more snapshot:other snapshot:fewer\n"},
	/* no guests */
	{"[/etc/pve/nodes/pve1/qemu-server]\n101.conf.tmp.1 = x\nx.conf = hostpci0: 01:00\n"
	 ".conf = a\n[/etc/pve/nodes/pve1/lxc]\n105.conf = a: b\n",
	 ""},
	/* no text to be had */
	{"[/etc/pve/nodes/pve1/qemu-server]\n101.conf ! EACCES\n",
	 "101 bad: cannot be read no-digest {-}\n"},
	/* mappings: this node's lines count; those of other nodes are read then, and only then */
	{CONF("101") "\thostpci0: mapping=gpu,pcie=1\n\thostpci1: mapping=none\n"
		     "[/etc/pve/nodes/pve2/qemu-server]\n200.conf <<\n\thostpci0: mapping=gpu\n"
		     "[/etc/pve/mapping]\npci.cfg <<\n\tgpu\n\t\tmap node=pve1,path=0000:01:00\n"
		     "\t\tmap node=pve2,path=0000:02:00.0;0000:02:00.1\n",
	 "101 {-; hostpci0 by gpu = 0000:01:00.0*; hostpci1 by none =}\n"
	 "200 on pve2 {-; hostpci0 by gpu = 0000:02:00.0 0000:02:00.1}\n"},
	{"[/etc/pve/nodes/pve2/qemu-server]\n200.conf <<\n\thostpci0: 01:00\n",
	 "200 on pve2 no-digest {-}\n"},
};

static void guests(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_strbuf_ struct strbuf body = {0}, out = {0};
		_cleanup_host_ struct host *host = NULL;

		strbuf_addf(&body, HERE "%s", rows[i].body);
		host = observe_text(strbuf_text(&body), &(struct observe_options){0});
		assert_true(host->guests.present[HYPERVISOR_PROXMOX]);
		assert_string_equal(host->guests.tool[HYPERVISOR_PROXMOX], "qm");
		assert_string_equal(host->guests.node, "pve1");
		array_foreach(it, &host->guests.list)
			show_guest(&out, it);
		assert_string_equal(strbuf_text(&out), rows[i].said);
	}
}

static void quorum(void **state _unused_)
{
	static const struct {
		const char *body;
		enum tristate quorate;
	} members[] = {
		{"", UNKNOWN},
		{".members = {\"nodename\": \"pve1\", \"version\": 0}\n", YES},
		{".members <<\n\t{\n\t\"nodename\": \"pve1\",\n\t\"cluster\": { \"name\": \"c\", "
		 "\"version\": 2, \"nodes\": 2, \"quorate\": 1 },\n\t\"nodelist\": {}\n\t}\n",
		 YES},
		{".members = {\"cluster\": {\"quorate\":0}, \"nodelist\": {}}\n", NO},
		{".members = {\"cluster\": {}, \"nodelist\": {}}\n", UNKNOWN},
	};

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		_cleanup_strbuf_ struct strbuf body = {0};
		_cleanup_host_ struct host *host = NULL;

		strbuf_addf(&body, HERE "[/etc/pve]\n%s", members[i].body);
		host = observe_text(strbuf_text(&body), &(struct observe_options){0});
		assert_int_equal(host->guests.quorate, members[i].quorate);
	}
}

static void not_there(void **state _unused_)
{
	static const struct {
		const char *body;
		bool present;
		const char *tool, *node;
		bool seen;
	} hosts[] = {
		{"[/usr/sbin]\nqm = x\nqm @ 0755 0 0\n", false, NULL, NULL, true},
		{"[/etc]\nhostname = pve1.example.org\npve/\n", false, NULL, NULL, true},
		/* its file system is not mounted yet; the tool is not there */
		{"[/usr/sbin]\nqm = x\nqm @ 0755 0 0\n[/etc]\nhostname = pve1.example.org\npve/\n",
		 true, "qm", "pve1", false},
		{"[/etc/pve]\nlocal -> nodes/n\nnodes/\n", true, NULL, "n", true},
	};

	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		_cleanup_host_ struct host *host = observe_text(hosts[i].body,
								&(struct observe_options){0});

		assert_int_equal(host->guests.present[HYPERVISOR_PROXMOX], hosts[i].present);
		assert_text(host->guests.tool[HYPERVISOR_PROXMOX], hosts[i].tool);
		assert_text(host->guests.node, hosts[i].node);
		assert_int_equal(!host->guests.unseen[HYPERVISOR_PROXMOX], hosts[i].seen);
		assert_int_equal(host->guests.list.n, 0);
	}
}

/* The digest is of the bytes as they stand (9.9); changes are looked for where guests are. */
static void digests_and_watches(void **state _unused_)
{
	_cleanup_host_ struct host *host = observe_text(
		HERE CONF("101") "\thostpci0: 01:00\n[/etc/pve/mapping]\npci.cfg = gpu\n",
		&(struct observe_options){0});
	_cleanup_strbuf_ struct strbuf out = {0};
	char digest[SHA1_TEXT_SIZE];

	digest_sha1("abc", 3, digest);
	assert_string_equal(digest, "a9993e364706816aba3e25717850c26c9cd0d89d");
	digest_sha1("hostpci0: 01:00\n", 16, digest);
	assert_string_equal(host->guests.list.at[0].digest, digest);
	digest_sha1("gpu\n", 4, digest);
	assert_string_equal(host->guests.mappings_digest, digest);
	assert_int_equal(host_watches(host, &out), 0);
	assert_non_null(strstr(out.text, "any /etc/pve/nodes/pve1/qemu-server\n"));
	assert_non_null(strstr(out.text, "file /etc/pve/mapping/pci.cfg\n"));
	assert_non_null(strstr(out.text, "any /run/qemu-server\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guests),
		cmocka_unit_test(quorum),
		cmocka_unit_test(not_there),
		cmocka_unit_test(digests_and_watches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
