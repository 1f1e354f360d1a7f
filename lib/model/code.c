/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "code.h"

#include "names.h"

struct code_row {
	const char *name;
	bool acceptable;
	const char *help;
};

static const struct code_row rows[_CODE_MAX] = {
	[CODE_SYNTAX] = {"syntax", false,
			 "the file is not the YAML that we read; mend the line shown"},
	[CODE_TOO_LARGE] = {"too-large", false, "the input is larger or deeper than any real one"},
	[CODE_UNKNOWN_KEY] = {"unknown-key", false,
			      "no such key here; passthroughd.yaml(5) lists all"},
	[CODE_DUPLICATE_KEY] = {"duplicate-key", false, "the key stands twice in one mapping"},
	[CODE_TYPE_MISMATCH] = {"type-mismatch", false,
				"the value is of another type than the key's"},
	[CODE_BAD_VALUE] = {"bad-value", false, "the value is not one that the key takes"},
	[CODE_UNSAFE_VALUE] =
		{"unsafe-value", false,
		 "the value could stop the boot or be read as something else by the boot "
		 "loader"},
	[CODE_UNSAFE_PERMISSIONS] =
		{"unsafe-permissions", false,
		 "somebody other than root could change the spec; chown root and "
		 "chmod go-w the file and its folder"},
	[CODE_USAGE] = {"usage", false, "the command was called with wrong words; see --help"},
	[CODE_BAD_FILE] = {"bad-file", false, "a file of the host cannot be read or edited safely"},
	[CODE_BAD_IMAGE] = {"bad-image", false, "an initramfs image is cut or of no known format"},
	[CODE_NO_SUCH_DEVICE] = {"no-such-device", false, "no device fits the selectors"},
	[CODE_AMBIGUOUS_DEVICE] =
		{"ambiguous-device", false,
		 "the selectors fit more devices than count says, or two names fit "
		 "one device; add address, slot or serial"},
	[CODE_IDENTITY_MISMATCH] =
		{"identity-mismatch", false,
		 "the device at this address is not the one that was bound before"},
	[CODE_DEVICE_MOVED] = {"device-moved", false,
			       "the device has another address than when it was chosen, and is "
			       "proven to be the same one"},
	[CODE_SHARED_GROUP] = {"shared-group", true,
			       "the IOMMU group has other devices, which the guest could reach"},
	[CODE_GROUP_GREW] = {"group-grew", false,
			     "the IOMMU group has members that were not there when the device was "
			     "chosen; a consent of that time does not cover them"},
	[CODE_NO_ACS] = {"no-acs", false,
			 "nothing keeps the devices of a group from reaching each other's memory "
			 "past the IOMMU"},
	[CODE_BOOT_DISK] = {"boot-disk", false, "the host's own system is on this device"},
	[CODE_MANAGEMENT_NIC] = {"management-nic", true, "the host is reached through this device"},
	[CODE_BOOT_DISPLAY] = {"boot-display", true, "the host's console is on this device"},
	[CODE_IN_USE] = {"in-use", true, "something on the host uses this device now"},
	[CODE_LAST_KEYBOARD] = {"last-keyboard", false,
				"the host's only keyboard is on this USB controller"},
	[CODE_BRIDGE_DEVICE] = {"bridge-device", false, "a bridge cannot be given to a guest"},
	[CODE_IOMMU_ABSENT] = {"iommu-absent", false, "the firmware offers no IOMMU to the kernel"},
	[CODE_IOMMU_OFF] = {"iommu-off", false, "the IOMMU is there and switched off"},
	[CODE_VIRTUALIZATION_OFF] =
		{"virtualization-off", false,
		 "the CPU has no virtualization, or the firmware switched it off"},
	[CODE_NO_INTERRUPT_REMAPPING] = {"no-interrupt-remapping", false,
					 "without interrupt remapping a guest can harm the host; "
					 "iommu: {unsafe-interrupts: true} is the consent"},
	[CODE_NO_RESET] = {"no-reset", true, "the device cannot be reset between guests"},
	[CODE_RESERVED_REGION] =
		{"reserved-region", false,
		 "the firmware reserved memory for this device; it cannot be assigned"},
	[CODE_VIRTUAL_FUNCTIONS_ACTIVE] = {"virtual-functions-active", false,
					   "the device's virtual functions are switched on"},
	[CODE_FOREIGN_CONFLICT] = {"foreign-conflict", false,
				   "another hand configured the opposite; remove it there or here"},
	[CODE_AMBIGUOUS_BOOT_LOADER] = {"ambiguous-boot-loader", false,
					"what boots this host cannot be told"},
	[CODE_NO_BUILDER] = {"no-builder", false, "the command that builds this is not installed"},
	[CODE_NO_SPACE] = {"no-space", false, "not enough room for what has to be written"},
	[CODE_READ_ONLY] = {"read-only", false, "the file system is mounted read-only"},
	[CODE_CMDLINE_TOO_LONG] = {"cmdline-too-long", false,
				   "the kernel would cut the command line; remove flags"},
	[CODE_NO_EFFECT] = {"no-effect", false,
			    "configured or reported as done, and yet without any effect"},
	[CODE_INTERRUPTED] = {"interrupted", false, "an apply was cut before its end"},
	[CODE_PROMISE_BROKEN] =
		{"promise-broken", false,
		 "all was ready for it, and a reboot did not bring it; another one is asked for "
		 "when the spec, an initramfs or a boot entry has changed"},
	[CODE_NOT_NEEDED] = {"not-needed", false, "wished, but this host does not need it"},
	[CODE_UNPROVEN] = {"unproven", false,
			   "could not be looked at, so it is not known to be right"},
	[CODE_NOT_SUPPORTED] = {"not-supported", false, "this version does not do it"},
	[CODE_BUILDER_FAILED] = {"builder-failed", false, "a builder exited with an error"},
	[CODE_NO_HYPERVISOR] = {"no-hypervisor", false,
				"the hypervisor that the guest is to be of is not on this host"},
	[CODE_NO_SUCH_GUEST] = {"no-such-guest", false, "the hypervisor knows no such guest"},
	[CODE_GUEST_ELSEWHERE] = {"guest-elsewhere", false,
				  "another node of the cluster has the guest; wish for it there"},
	[CODE_GUEST_LOCKED] = {"guest-locked", false,
			       "the hypervisor is at work on the guest; it is changed once that is "
			       "over"},
	[CODE_GUEST_CHANGED] = {"guest-changed", false,
				"the guest's configuration changed since the plan was made; plan "
				"again"},
	[CODE_GUEST_REFUSED] = {"guest-refused", false,
				"the hypervisor's tool refused the change; its last lines say why"},
	[CODE_GUEST_CONFLICT] = {"guest-conflict", false,
				 "two guests that may both be started have the same device"},
	[CODE_GUEST_BLOCKED] = {"guest-blocked", false,
				"a guest that starts with the host has a device that is not ready "
				"for it"},
	[CODE_GUEST_LEFT] = {"guest-left", false,
			     "an entry of a guest's that was ours is another hand's by now, and "
			     "stays"},
	[CODE_SNAPSHOT_DIFFERS] =
		{"snapshot-differs", false,
		 "going back to a snapshot of the guest would bring other devices "
		 "than are wished"},
	[CODE_NO_QUORUM] = {"no-quorum", false,
			    "the cluster has no quorum, and takes no changes until it has"},
	[CODE_NEEDS_Q35] = {"needs-q35", false, "PCI Express needs a guest of machine type q35"},
	[CODE_NO_OVMF] = {"no-ovmf", false,
			  "a graphics card works best in a guest with UEFI firmware (OVMF)"},
	[CODE_CONSOLE_LOST] = {"console-lost", false,
			       "a guest whose primary display is a real card has none that the "
			       "hypervisor could show"},
	[CODE_ROM_NEEDED] = {"rom-needed", false,
			     "the card that this host was started with shows guests a ROM that "
			     "has been used; give a file with a fresh one"},
	[CODE_OUT_OF_MEMORY] = {"out-of-memory", false, "memory ran out"},
	[CODE_HOST_MOVED] = {"host-moved", false,
			     "the host changed since that plan; look at a new one"},
	[CODE_LEDGER_LOST] = {"ledger-lost", false,
			      "what is ours on this host is not known; nothing is guessed"},
	[CODE_BUSY] = {"busy", false, "another program changes packages or builds images"},
	[CODE_NO_PERMISSION] = {"no-permission", false, "only root may do this"},
	[CODE_NO_DAEMON] = {"no-daemon", false, "passthroughd is not running here"},
	[CODE_TIMED_OUT] = {"timed-out", false, "the work is not done yet; it goes on"},
};

const char *code_name(enum code code)
{
	return code >= 0 && code < _CODE_MAX ? rows[code].name : NULL;
}

const char *code_help(enum code code)
{
	return code >= 0 && code < _CODE_MAX ? rows[code].help : NULL;
}

bool code_acceptable(enum code code)
{
	return code >= 0 && code < _CODE_MAX && rows[code].acceptable;
}

enum code code_from_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			return (enum code)i;
	return _CODE_INVALID;
}

static const char *const severities[_SEVERITY_MAX] = {
	[SEVERITY_NOTE] = "note",
	[SEVERITY_WARNING] = "warning",
	[SEVERITY_ERROR] = "error",
};
DEFINE_NAMES(severity, enum severity, severities);
