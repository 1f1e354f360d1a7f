#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One verb of passthroughctl(1), and what it says as Ansible shows it."""

import json

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: passthroughctl
short_description: run one verb of passthroughctl and judge its answer
description: Fails with the diagnostics (code, file, line) when the spec is invalid, a device is refused, or work failed.
options:
  verb:
    description: plan and status change nothing; apply, reload and wait are skipped in check mode.
    choices: [plan, status, apply, reload, wait]
    required: true
  spec:
    description: For plan; a folder with the files to plan for, in the place of /etc/passthroughd.
  timeout:
    description: For apply and wait; seconds.
  blocked:
    description: Whether something refused is a failure.
    default: true
  active:
    description: Whether anything but a host that has converged is a failure.
    default: false
"""

EXAMPLES = """
- passthroughctl: {verb: wait, timeout: 600}
"""

RETURN = """
exit_code: {description: of passthroughctl, type: int}
states: {description: the state of each item by its id, type: dict}
reboot: {description: required, and why, type: dict}
"""

SPEC = "/etc/passthroughd"
FAILED, PENDING, REBOOT, BLOCKED, INVALID = 1, 2, 3, 4, 5


def place(said):
    """FILE:LINE:COLUMN: severity: message [code]"""
    where = ":".join(str(said[key]) for key in ("file", "line", "column") if said.get(key) is not None)
    return "%s%s: %s [%s]" % (where + ": " if where else "", said["severity"], said["message"], said["code"])


def refusals(answer):
    """What is refused, one line each."""
    lines = []
    for device in answer.get("devices", []):
        if device["state"] == "blocked":
            lines += ["device %s is refused: %s [%s]" % (device["name"], said["message"], said["code"])
                      for said in device["verdicts"] if said["severity"] == "error"]
    return lines + ["%s is refused: %s" % (item["id"], item["reason"]) for item in answer.get("items", [])
                    if item["state"] == "blocked" and item["kind"] != "device"]


def text_of(answer):
    """What --diff shows: the diffs, the other steps, and why a reboot will be needed."""
    lines = [one["diff"].rstrip("\n") for one in answer.get("diffs", [])]
    lines += ["would %s %s (%s)" % (step["kind"], step["target"], step["why"]) for step in answer.get("steps", [])
              if step["class"] not in ("files", "reboot")]
    lines += ["would need a reboot: " + why for why in answer.get("reboot", {}).get("why", [])]
    return "".join(line + "\n" for line in lines)


def ask(module, program):
    """The exit code and the document."""
    verb, spec = module.params["verb"], module.params["spec"]
    words = [program, verb, "--json"]
    if spec:
        words += ["--spec", spec]
    if module.params["timeout"] is not None and verb in ("apply", "wait"):
        words += ["--timeout", str(module.params["timeout"])]
    code, out, err = module.run_command(words)
    # People know the file by the place where it will be.
    out = out.replace(spec.rstrip("/") + "/", SPEC + "/") if spec else out
    try:
        return code, json.loads(out)
    except ValueError:
        module.fail_json(msg="%s ended with %d and no answer: %s" % (" ".join(words), code, err or out), exit_code=code)


def judge(module, code, answer):
    """Why this is a failure, one line each; empty if it is none."""
    errors = [place(said) for said in answer.get("diagnostics", []) if said["severity"] == "error"]
    refused = refusals(answer)
    if code in (FAILED, INVALID):
        return errors + refused or ["passthroughctl %s ended with %d" % (module.params["verb"], code)]
    if module.params["blocked"] and (code == BLOCKED or refused):
        return refused + errors or ["something is refused: see passthroughctl status"]
    if module.params["active"] and code != 0:
        return refused + errors + ["%s is %s: %s" % (item["id"], item["state"], item["reason"])
                                   for item in answer.get("items", []) if item["state"] != "active"] \
            or ["the host has not converged: passthroughctl %s ended with %d" % (module.params["verb"], code)]
    return []


def main():
    module = AnsibleModule(supports_check_mode=True, argument_spec={
        "verb": {"required": True, "choices": ["plan", "status", "apply", "reload", "wait"]},
        "spec": {"type": "path"}, "timeout": {"type": "int"}, "blocked": {"type": "bool", "default": True},
        "active": {"type": "bool", "default": False}})
    verb = module.params["verb"]
    if module.check_mode and verb not in ("plan", "status"):
        module.exit_json(skipped=True, msg="passthroughctl %s changes the host: not in check mode" % verb)
    program = module.get_bin_path("passthroughctl")
    if not program and module.check_mode:
        module.exit_json(changed=True, exit_code=None, msg="passthroughctl is not installed on this host, so nothing "
                         "can be planned yet: run it once without --check, or set passthroughd_package")
    if not program:
        module.fail_json(msg="passthroughctl is not installed on this host: set passthroughd_package")
    code, answer = ask(module, program)
    result = {"exit_code": code, "reboot": answer.get("reboot", {}), "diagnostics": answer.get("diagnostics", []),
              "states": {item["id"]: item["state"] for item in answer.get("items", [])},
              "changed": verb == "plan" and code == PENDING
              or verb == "apply" and bool(answer.get("report", {}).get("steps"))}
    if verb == "plan":
        result["diff"] = [{"prepared": text_of(answer)}]
    failures = judge(module, code, answer)
    if failures:
        module.fail_json(msg="\n".join(failures), **result)
    module.exit_json(msg={PENDING: "changes are pending", REBOOT: "only a reboot is outstanding"}.get(code, "done"),
                     **result)


if __name__ == "__main__":
    main()
