/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a route, a session or a server down to the network card that carries it. */
#include "observe-uses.h"

#define DEFAULT(name) "\t" name "\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\n"
#define LAN(name)     "\t" name "\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\n"
/* 10.0.0.0/8 */
#define WIDE(name) "\t" name "\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF\n"

#define ZEROS "00000000000000000000000000000000"
#define ENO1  NIC("eno1", "0000:00:03.0")
#define ENO2  NIC("eno2", "0000:00:04.0")

#define BOND0	SOFT("bond0")
#define IN_BOND "master -> ../../../../virtual/net/bond0\n"
#define VLAN	SOFT("bond0.100")
#define LAN0	SOFT("lan")
#define VMBR0	SOFT("vmbr0")
#define TEAM0	SOFT("team0")
#define MACVLAN SOFT("macvlan0")
#define VSWITCH SOFT("ovs-system")

#define OUT_VMBR0 DEFAULT("vmbr0")
#define OUT_ENO1  DEFAULT("eno1")

/* --- layers ---------------------------------------------------------------------------------- */

static void routes_go_through_layers(void **state _unused_)
{
	static const struct {
		const char *lines, *uses;
	} rows[] = {
		/* A bond of two cards, a VLAN on it, a bridge on that. */
		{ENO1 IN_BOND ENO2 IN_BOND BOND0
		 "lower_eno1/\nlower_eno2/\n" VLAN "lower_bond0/\n" VMBR0
		 "lower_bond0.100/\nlower_tap100i0/\n" ROUTES OUT_VMBR0 LAN("vmbr0"),
		 "3 default-route: eno1, bond0, bond0.100, vmbr0, default route\n"
		 "3 network: eno1, up in bond0\n"
		 "4 default-route: eno2, bond0, bond0.100, vmbr0, default route\n"
		 "4 network: eno2, up in bond0\n"},
		/* Older kernels and laid-out trees: by the files of each kind. */
		{ENO1 BOND0 "bonding/slaves = eno1\n" LAN0 VMBR0 "brif/lan/\n"
			    "[/proc/net]\nvlan/config <<\n\tVLAN Dev name    | VLAN ID\n"
			    "\tlan            | 100  | bond0\n" ROUTES OUT_VMBR0,
		 "3 default-route: eno1, bond0, lan, vmbr0, default route\n"},
		/* A team and a macvlan have the kernel's links alone. */
		{ENO1 ENO2 TEAM0 "lower_eno1/\nlower_eno2/\n" MACVLAN
				 "lower_team0/\n" ROUTES DEFAULT("macvlan0"),
		 "3 default-route: eno1, team0, macvlan0, default route\n"
		 "4 default-route: eno2, team0, macvlan0, default route\n"},
		/* Open vSwitch: the bridge is a port beside the card. */
		{ENO1 VSWITCH "lower_eno1/\nlower_vmbr0/\n" VMBR0
			      "upper_ovs-system/\n" ROUTES OUT_VMBR0,
		 "3 default-route: eno1, ovs-system, vmbr0, default route\n"},
		/* A patch between two of its bridges is in no file: their master is all there is.
		 */
		{ENO1 "master -> ../../../../virtual/net/ovs-system\n" ENO2 VSWITCH VMBR0
		      "master -> ../ovs-system\n" ROUTES OUT_VMBR0,
		 "3 default-route: eno1, ovs-system, vmbr0, default route\n"
		 "3 network: eno1, up in ovs-system\n"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_uses(rows[i].lines, rows[i].uses);
}

static void routes_of_ipv6_count(void **state _unused_)
{
	assert_uses(ENO1 ENO2 "[/proc/net]\nipv6_route <<\n"
			      "\t" ZEROS " 00 " ZEROS " 00 fe800000000000000000000000000001 "
			      "00000400 00000001 00000000 00000003 eno1\n"
			      "\t" ZEROS " 00 " ZEROS " 00 " ZEROS " ffffffff 00000001 00000000 "
			      "00200200 lo\n"
			      "if_inet6 <<\n"
			      "\tfe800000000000000000000000000001 02 40 20 80 eno1\n"
			      "\tfe800000000000000000000000000002 03 40 20 80 eno2\n",
		    "3 default-route: eno1, default route\n"
		    "3 network: eno1, up with an address\n");
}

static void idle_cards_are_free(void **state _unused_)
{
	assert_uses(ENO1 ENO2 ROUTES LAN("eno1") DEFAULT("gone") "\tshort\n",
		    "3 network: eno1, up with an address\n");
}

/* --- sessions -------------------------------------------------------------------------------- */

#define TCP(file, lines)                                                                           \
	"[/proc/net]\n" file " <<\n\t  sl  local_address rem_address   st tx_queue\n" lines
/* 192.168.1.6 and 10.2.3.4 here, 192.168.1.9 there. */
#define LINE(here, there, state)                                                                   \
	"\t   1: " here " " there " " state " 00000000:00000000 02:000A1B2C 00000000\n"

#define MAPPED "0000000000000000FFFF0000"
#define SIX    "B80D0120000000000000000005000000" /* 2001:db8::5 */

static void sessions_hold_their_card(void **state _unused_)
{
	static const struct {
		const char *lines, *uses; /* of the second card */
	} rows[] = {
		{TCP("tcp", LINE("0403020A:0016", "0901A8C0:C350", "01")),
		 "4 ssh: eno2, an SSH session from 192.168.1.9\n"},
		/* Not established; to another port; away from here; to oneself. */
		{TCP("tcp", LINE("0403020A:0016", "0901A8C0:C350", "0A")), ""},
		{TCP("tcp", LINE("0403020A:01BB", "0901A8C0:C350", "01")), ""},
		{TCP("tcp", LINE("0403020A:C350", "0901A8C0:0016", "01")), ""},
		{TCP("tcp", LINE("0403020A:0016", "0403020A:C350", "01")), ""},
		{TCP("tcp", LINE("0100007F:0016", "0901A8C0:C350", "01")), ""},
		{TCP("tcp", "\tnonsense\n\t 1: 04:0016 05:C350 01\n"), ""},
		/* sshd listens for both families at once. */
		{TCP("tcp6", LINE(MAPPED "0403020A:0016", MAPPED "0901A8C0:C350", "01")),
		 "4 ssh: eno2, an SSH session from 192.168.1.9\n"},
		{TCP("tcp6",
		     LINE(SIX ":0016", "B80D0120000000000000000006000000:C350",
			  "01")) "[/proc/net]\nif_inet6 <<\n\t20010db8000000000000000000000005 03 "
				 "40 20 80 eno2\n",
		 "4 ssh: eno2, an SSH session from 2001:db8::6\n"},
		{TCP("tcp6", LINE("00000000000000000000000001000000:0016",
				  "00000000000000000000000001000000:C350", "01")),
		 ""},
		/* Ports of the settings count beside the usual one. */
		{TCP("tcp", LINE("0403020A:08AE", "0901A8C0:C350", "01")), ""},
		{TCP("tcp", LINE("0403020A:08AE", "0901A8C0:C350",
				 "01")) "[/etc/ssh]\nsshd_config <<\n\t# Port 22\n\tport 2222\n",
		 "4 ssh: eno2, an SSH session from 192.168.1.9\n"},
		{TCP("tcp", LINE("0403020A:08AE", "0901A8C0:C350",
				 "01")) "[/etc/ssh/sshd_config.d]\na.conf = Port 2222\n",
		 "4 ssh: eno2, an SSH session from 192.168.1.9\n"},
		{TCP("tcp", LINE("0403020A:08AE", "0901A8C0:C350",
				 "01")) "[/etc/ssh/sshd_config.d]\na.conf.off = Port 2222\n",
		 ""},
		{TCP("tcp", LINE("0403020A:0016", "0901A8C0:C350",
				 "01")) "[/etc/ssh]\nsshd_config = Port 2222\n",
		 "4 ssh: eno2, an SSH session from 192.168.1.9\n"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_strbuf_ struct strbuf lines = {0}, uses = {0};

		strbuf_addf(&lines, ENO1 ENO2 ROUTES DEFAULT("eno1") LAN("eno1") WIDE("eno2") "%s",
			    rows[i].lines);
		strbuf_addf(&uses,
			    "3 default-route: eno1, default route\n"
			    "3 network: eno1, up with an address\n%s"
			    "4 network: eno2, up with an address\n",
			    rows[i].uses);
		assert_uses(strbuf_text(&lines), strbuf_text(&uses));
	}
}

/* The way down is that of a route; an address in no network goes back by the way to its peer. */
static void sessions_go_through_layers(void **state _unused_)
{
	assert_uses(ENO1 ENO2 SOFT("vmbr0") "lower_eno2/\n" ROUTES DEFAULT("eno1") WIDE("vmbr0")
			    TCP("tcp", LINE("0403020A:0016", "0901A8C0:C350", "01")
					       LINE("0101A8C0:0016", "0702030A:C350", "01")),
		    "3 default-route: eno1, default route\n"
		    "3 network: eno1, up with an address\n"
		    "4 ssh: eno2, vmbr0, an SSH session from 192.168.1.9\n"
		    "4 ssh: eno2, vmbr0, an SSH session from 10.3.2.7\n");
}

/* --- servers --------------------------------------------------------------------------------- */

#define SESSION "/sys/devices/platform/host2/session1"
#define DISK                                                                                       \
	"[/sys/class/block]\n"                                                                     \
	"sda -> ../../devices/platform/host2/session1/target2:0:0/2:0:0:0/block/sda\n"             \
	"sda2 -> ../../devices/platform/host2/session1/target2:0:0/2:0:0:0/block/sda/sda2\n"       \
	"dm-0 -> ../../devices/virtual/block/dm-0\n"                                               \
	"[" SESSION "/target2:0:0/2:0:0:0/block/sda]\ndev = 8:0\nsda2/dev = 8:2\n"                 \
	"[/sys/devices/virtual/block/dm-0]\n"                                                      \
	"dev = 253:0\ndm/name = vg-root\ndm/uuid = LVM-x\nslaves/sda2/\n"                          \
	"[/sys/class/iscsi_connection/connection1:0]\n"
#define MOUNT(line) "[/proc]\nself/mountinfo <<\n\t1 0 " line "\n"

static void servers_hold_the_card_on_the_way(void **state _unused_)
{
	static const struct {
		const char *lines, *uses; /* of the second card */
	} rows[] = {
		{DISK "address = 10.2.3.4\n" MOUNT("8:2 / / rw - ext4 /dev/sda2 rw"),
		 "4 root: sda2, mounted on /, iSCSI target 10.2.3.4, over eno2\n"},
		{DISK "persistent_address = 10.2.3.4\n" MOUNT("8:2 / /boot rw - ext4 /dev/sda2 rw"),
		 "4 boot: sda2, mounted on /boot, iSCSI target 10.2.3.4, over eno2\n"},
		{DISK "address = 10.2.3.4\n" MOUNT("253:0 / / rw - ext4 /dev/mapper/vg-root rw"),
		 "4 root: sda2, LVM vg-root, mounted on /, iSCSI target 10.2.3.4, over eno2\n"},
		{MOUNT("0:40 / / rw - nfs4 10.2.3.4:/srv rw,vers=4.2,clientaddr=10.1.1.1,"
		       "addr=10.2.3.4"),
		 "4 root: nfs4 server 10.2.3.4, mounted on /, over eno2\n"},
		{MOUNT("0:40 / /usr rw - nfs nas:/usr rw,addr=10.2.3.4"),
		 "4 mount: nfs server 10.2.3.4, mounted on /usr, over eno2\n"},
		/* Nothing to go by. */
		{MOUNT("0:40 / / rw - nfs nas:/srv rw"), ""},
		{MOUNT("0:40 / / rw - ext4 x rw,addr=10.2.3.4"), ""},
		{MOUNT("0:40 / / rw - nfs nas:/srv rw,addr=127.0.0.1"), ""},
		{DISK "address = (null)\n" MOUNT("8:2 / / rw - ext4 /dev/sda2 rw"), ""},
		{DISK MOUNT("8:2 / / rw - ext4 /dev/sda2 rw"), ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_strbuf_ struct strbuf lines = {0}, uses = {0};

		strbuf_addf(&lines, ENO1 ENO2 ROUTES DEFAULT("eno1") WIDE("eno2") "%s",
			    rows[i].lines);
		strbuf_addf(&uses,
			    "3 default-route: eno1, default route\n"
			    "3 network: eno1, up with an address\n%s"
			    "4 network: eno2, up with an address\n",
			    rows[i].uses);
		assert_uses(strbuf_text(&lines), strbuf_text(&uses));
	}
}

/* The longest prefix leads there, of equal ones the least metric; rejecting ones lead nowhere. */
static void the_best_route_leads_there(void **state _unused_)
{
	static const char lines[] = ENO1 ENO2 DISK
		"address = 10.2.3.4\n"
		"[/proc]\nself/mountinfo <<\n"
		"\t1 0 8:2 / / rw - ext4 /dev/sda2 rw\n" ROUTES OUT_ENO1
		"\teno1\t0000000A\t00000000\t0001\t0\t0\t5\t000000FF\n"
		"\teno2\t0000000A\t00000000\t0001\t0\t0\t1\t000000FF\n"
		"\teno1\t0000020A\t00000000\t0201\t0\t0\t1\t0000FFFF\n";

	assert_uses(lines, "3 default-route: eno1, default route\n"
			   "3 network: eno1, up with an address\n"
			   "4 root: sda2, mounted on /, iSCSI target 10.2.3.4, over eno2\n"
			   "4 network: eno2, up with an address\n");
}

static void servers_of_ipv6_are_found(void **state _unused_)
{
	assert_uses(
		ENO1 ENO2 DISK "address = 2001:db8::5\n" MOUNT(
			"8:2 / / rw - ext4 /dev/sda2 rw") "[/proc/net]\nipv6_route <<\n"
							  "\t20010db8000000000000000000000000 "
							  "40 " ZEROS " 00 " ZEROS
							  " 00000100 00000001 00000000 00000001 "
							  "eno2\n"
							  "\t" ZEROS " 00 " ZEROS
							  " 00 fe800000000000000000000000000001 "
							  "00000400 "
							  "00000001 00000000 00000003 eno1\n",
		"3 default-route: eno1, default route\n"
		"3 network: eno1, up with an address\n"
		"4 root: sda2, mounted on /, iSCSI target 2001:db8::5, over eno2\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_go_through_layers),
		cmocka_unit_test(routes_of_ipv6_count),
		cmocka_unit_test(idle_cards_are_free),
		cmocka_unit_test(sessions_hold_their_card),
		cmocka_unit_test(sessions_go_through_layers),
		cmocka_unit_test(servers_hold_the_card_on_the_way),
		cmocka_unit_test(the_best_route_leads_there),
		cmocka_unit_test(servers_of_ipv6_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
