/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests of libvirt as its files have them (9.14). */
#include "observe-text.h"

#include "capture.h"

#define HERE "[/usr/bin]\nvirsh = x\nvirsh @ 0755 0 0\n"
#define ETC  "[/etc/libvirt/qemu]\n"
#define RUN  "[/run/libvirt/qemu]\n"

#define DEVICE(bus, more)                                                                          \
	"<hostdev mode='subsystem' type='pci' managed='no'>" more                                  \
	"<source><address domain='0x0000' bus='" bus                                               \
	"' slot='0x00' function='0x0'/></source></hostdev>"
#define DOMAIN(name, devices)                                                                      \
	"<domain type='kvm'><name>" name "</name><os firmware='efi'>"                              \
	"<type machine='pc-q35-8.2'>hvm</type></os><devices>" devices "</devices></domain>"

static void show_config(struct strbuf *out, const struct guest_config *config)
{
	char text[PCI_ADDR_TEXT_SIZE];

	strbuf_addf(out, " {%s%s%s", config->machine ? config->machine : "-",
		    config->q35 ? " q35" : "", config->uefi ? " uefi" : "");
	array_foreach(it, &config->devices)
		strbuf_addf(out, "; %s %s: %s", it->key,
			    pci_addr_format(it->functions.at[0].addr, text), it->text);
	strbuf_add(out, "}");
}

static void show_guest(struct strbuf *out, const struct host_guest *guest)
{

	strbuf_addf(out, "%s%s%s%s%s", guest->name, guest->bad ? " bad: " : "",
		    guest->bad ? guest->bad : "", guest->autostart ? " autostart" : "",
		    guest->running == YES  ? " running"
		    : guest->running == NO ? ""
					   : " running-unknown");
	show_config(out, &guest->next);
	if (guest->running == YES) {
		strbuf_add(out, " now");
		show_config(out, &guest->now);
	}
	strbuf_add(out, "\n");
}

static const struct {
	const char *body, *said;
} rows[] = {
	{ETC "b.xml = " DOMAIN("b", DEVICE("0x01", "")) "\na.xml = " DOMAIN(
		 "a", "") "\nautostart/\nnetworks/\n.xml = x\nc.xml.new = x\n"
			  "[/etc/libvirt/qemu/autostart]\nb.xml -> /etc/libvirt/qemu/b.xml\n",
	 "a {pc-q35-8.2 q35 uefi}\n"
	 "b autostart {pc-q35-8.2 q35 uefi; 0000:01:00.0 0000:01:00.0: managed=no}\n"},
	/* runs with another device than it has at its next start */
	{ETC "a.xml = " DOMAIN(
		 "a", DEVICE("0x01",
			     "")) "\n" RUN
				  "a.pid = 77\na.xml = <domstatus state='running' pid='77'>" DOMAIN(
					  "a",
					  DEVICE("0x02",
						 "<rom bar=\"off\"/>")) "</domstatus>\n[/proc/77]\n"
									"comm = qemu\n",
	 "a running {pc-q35-8.2 q35 uefi; 0000:01:00.0 0000:01:00.0: managed=no} now "
	 "{pc-q35-8.2 q35 uefi; 0000:02:00.0 0000:02:00.0: managed=no rom=off}\n"},
	/* of what ended without a word only files are left; what is no number is no process */
	{ETC "a.xml = " DOMAIN("a", "") "\nb.xml = " DOMAIN("b", "") "\nc.xml = " DOMAIN(
		 "c", "") "\n" RUN
			  "a.pid = 77\na.xml = <domstatus/>\nb.pid = ../77\nb.xml = x\nc.pid = 78\n"
			  "[/proc/78]\ncomm = x\n[/proc/77x]\ncomm = x\n",
	 "a {pc-q35-8.2 q35 uefi}\nb {pc-q35-8.2 q35 uefi}\nc {pc-q35-8.2 q35 uefi}\n"},
	/* what runs cannot be read */
	{ETC "a.xml = " DOMAIN("a", "") "\n" RUN "a.pid = 77\na.xml = <domstatus/>\n[/proc/77]\n"
					"comm = qemu\n",
	 "a running-unknown {pc-q35-8.2 q35 uefi}\n"},
	/* no domains to speak of */
	{ETC "a.xml ! EACCES\nb.xml = <domain>\nc.xml = " DOMAIN(
		 "b", "") "\nd.xml = <!DOCTYPE x><domain/>\n",
	 "a bad: cannot be read {-}\n"
	 "b bad: is broken XML in line 2: no element found {-}\n"
	 "c bad: holds a domain of another name {-}\n"
	 "d bad: has a DOCTYPE, which libvirt never writes {-}\n"},
};

static void domains(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_strbuf_ struct strbuf body = {0}, out = {0};
		_cleanup_host_ struct host *host = NULL;

		strbuf_addf(&body, HERE "%s", rows[i].body);
		host = observe_as(strbuf_text(&body), &(struct observe_options){0}, true);
		assert_true(host->guests.present[HYPERVISOR_LIBVIRT]);
		assert_string_equal(host->guests.tool[HYPERVISOR_LIBVIRT], "virsh");
		array_foreach(it, &host->guests.list) {
			assert_int_equal(it->hypervisor, HYPERVISOR_LIBVIRT);
			show_guest(&out, it);
		}
		assert_string_equal(strbuf_text(&out), rows[i].said);
	}
}

static void not_there(void **state _unused_)
{
	static const char *const bodies[] = {HERE, ETC "a.xml = " DOMAIN("a", "") "\n"};

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		_cleanup_host_ struct host *host = observe_text(bodies[i],
								&(struct observe_options){0});

		assert_false(host->guests.present[HYPERVISOR_LIBVIRT]);
		assert_null(host->guests.tool[HYPERVISOR_LIBVIRT]);
		assert_int_equal(host->guests.list.n, 0);
	}
}

static void watched(void **state _unused_)
{
	_cleanup_host_ struct host *host = observe_text(HERE ETC "a.xml = x\n",
							&(struct observe_options){0});
	_cleanup_strbuf_ struct strbuf out = {0};

	assert_int_equal(host_watches(host, &out), 0);
	assert_non_null(strstr(out.text, "any /etc/libvirt/qemu\n"));
	assert_non_null(strstr(out.text, "any /etc/libvirt/qemu/autostart\n"));
	assert_non_null(strstr(out.text, "any /run/libvirt/qemu\n"));
}

/* --- captures --------------------------------------------------------------------------------- */

static struct tree *tree_of(const char *text)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct diags diags = {.arena = a};
	struct tree *tree = NULL;

	assert_int_equal(tree_capture_new("host", text, strlen(text), &diags, &tree), 0);
	return tree;
}

static void show_tree(struct strbuf *out, struct tree *tree)
{
	_cleanup_host_ struct host *host = NULL;

	assert_int_equal(host_observe(tree, &(struct observe_options){0}, &host), 0);
	array_foreach(it, &host->guests.list)
		show_guest(out, it);
}

/* As one of a running system: what was not asked for goes, and what is read of it stays. */
static void captures(void **state _unused_)
{
	static const char text[] = CAPTURE(
		HERE ETC
		"win11.xml = <domain><name>win11</name><uuid>5a1e7c0f</uuid><title>Erna</title>"
		"<os firmware='efi'><type machine='pc-q35-8.2'>hvm</type></os><devices>"
		"<disk type='network'><source protocol='iscsi' name='iqn.x'><host name='filer'/>"
		"</source></disk><interface type='bridge'><mac address='52:54:00:e2:2a:01'/>"
		"</interface><graphics type='vnc' passwd='opensesame'/>" DEVICE(
			"0x01",
			"<rom bar='off'/>") "</devices></domain>\n"
					    "broken.xml = <domain><graphics passwd='opensesame'>\n"
					    "autostart/win11.xml -> "
					    "/etc/libvirt/qemu/win11.xml\n" RUN "win11.pid = 4711\n"
					    "win11.xml = <domstatus><domain><name>win11</name>"
					    "<seclabel><label>opensesame</label></seclabel>"
					    "</domain></domstatus>\n"
					    "[/proc/4711]\ncomm = qemu\n");
	static const char *const hidden[] = {"5a1e", "Erna",  "iqn",	    "filer",
					     "52:5", "graph", "opensesame", "label"};
	_cleanup_strbuf_ struct strbuf captured = {0}, seen = {0}, again = {0};
	_cleanup_tree_ struct tree *tree = tree_of(text), *copy = NULL;

	show_tree(&seen, tree);
	assert_non_null(strstr(seen.text, "win11 autostart running {pc-q35-8.2 q35 uefi; "
					  "0000:01:00.0 0000:01:00.0: managed=no rom=off} now"));
	tree->capture = false;
	assert_int_equal(capture_write(tree, &captured), 0);
	for (size_t i = 0; i < ARRAY_LEN(hidden); i++)
		if (strstr(captured.text, hidden[i]))
			fail_msg("%s", hidden[i]);
	copy = tree_of(captured.text);
	show_tree(&again, copy);
	/* Why the broken one is broken is no part of it. */
	assert_non_null(strstr(again.text, "broken bad: is broken XML"));
	assert_string_equal(strstr(again.text, "win11"), strstr(seen.text, "win11"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(domains),
		cmocka_unit_test(not_there),
		cmocka_unit_test(watched),
		cmocka_unit_test(captures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
