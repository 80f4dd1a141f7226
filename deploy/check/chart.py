"""Renders the chart with every set of values in deploy/helm/values, and holds what comes of it against Kubernetes.

    chart.py HELM HASHWARD KUBERNETES_VERSION CRDS

Built-in kinds are held against the API's own schemas, strictly; custom resources by CRDS/check.mjs; the configuration that a
pod would have by `hashward validate`. Sets in values/refused must be refused, for the reason in their first line.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import kubernetes_validate
import yaml

CUSTOM = {"keda.sh/v1alpha1", "monitoring.coreos.com/v1"}
RULES = """
groups:
  - name: sample
    rules:
      - alert: Sample
        expr: hashward_ready == 0
        for: 5m
        labels: {severity: page}
        annotations: {summary: "{{ $labels.instance }} is not ready"}
"""


def helm(program, *arguments):
    return subprocess.run([program, *arguments], capture_output=True, text=True)


def rendered(program, chart, values, version):
    done = helm(program, "template", "check", chart, "--values", values, "--kube-version", version, "--namespace", "check")
    assert done.returncode == 0, f"{values}: {done.stderr}"
    return [resource for resource in yaml.safe_load_all(done.stdout) if resource]


def must_hold(resources, values):
    """What no schema says."""
    by_name = {(resource["kind"], resource["metadata"]["name"]): resource for resource in resources}
    assert len(by_name) == len(resources), f"{values}: two resources have one name"
    for (kind, name), resource in by_name.items():
        if kind != "Deployment":
            continue
        spec = resource["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        security = container["securityContext"]
        assert spec["securityContext"]["runAsNonRoot"] and spec["securityContext"]["seccompProfile"], name
        assert security["readOnlyRootFilesystem"] and security["capabilities"] == {"drop": ["ALL"]}, name
        assert security["allowPrivilegeEscalation"] is False and spec["automountServiceAccountToken"] is False, name
        assert container["readinessProbe"] and container["livenessProbe"] and container["resources"]["limits"], name
        mounts, volumes = container["volumeMounts"], {volume["name"] for volume in spec["volumes"]}
        assert {mount["name"] for mount in mounts} == volumes, f"{name}: {volumes}"
        assert ("ScaledObject", name) not in by_name or "replicas" not in resource["spec"], f"{name}: two would scale it"
    # Secrets are named, never made.
    assert not [name for kind, name in by_name if kind == "Secret"], f"{values}: makes a Secret"


def configured(resources, hashward, scratch, values):
    """Holds the configuration of each Deployment against the program."""
    fields = subprocess.run([hashward, "config", "reference"], capture_output=True, text=True, check=True).stdout
    configs = {resource["metadata"]["name"]: resource["data"] for resource in resources if resource["kind"] == "ConfigMap"}
    for resource in resources:
        if resource["kind"] != "Deployment":
            continue
        name = resource["metadata"]["name"]
        (container,) = resource["spec"]["template"]["spec"]["containers"]
        if name.endswith("-gate") and "[gate" not in fields:
            print(f"{values}: {name}: its configuration was not held against this hashward, which has no gate")
            continue
        config = Path(scratch) / "hashward.toml"
        config.write_text(configs[name]["hashward.toml"])
        # What only the cluster knows.
        variables = {entry["name"]: entry.get("value", "from-the-cluster") for entry in container["env"]}
        command = [hashward, "validate", "--stage", "topology", "--config", config]
        done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True)
        assert done.returncode == 0, f"{values}: {name}: {done.stdout}{done.stderr}"


def main():
    program, hashward, version, crds = sys.argv[1:]
    home = Path(__file__).parent.parent / "helm"
    count, custom = 0, []
    with tempfile.TemporaryDirectory() as scratch:
        # A copy without and one with rules, whatever rules there are today.
        bare, chart = Path(scratch) / "bare/hashward", Path(scratch) / "chart/hashward"
        for copy in (bare, chart):
            shutil.copytree(home / "hashward", copy)
            shutil.rmtree(copy / "rules")
            (copy / "rules").mkdir()
        (chart / "rules/sample.yaml").write_text(RULES)
        for values in sorted(home.glob("values/*.yaml")):
            for linted in (home / "hashward", chart):
                done = helm(program, "lint", "--strict", linted, "--values", values, "--kube-version", version)
                assert done.returncode == 0, f"{values}: {done.stdout}{done.stderr}"
            without = rendered(program, bare, values, version)
            assert "PrometheusRule" not in {resource["kind"] for resource in without}, f"{values}: rules of nothing"
            resources = rendered(program, chart, values, version)
            # The rules that are really there.
            custom += [resource for resource in rendered(program, home / "hashward", values, version)
                       if resource["kind"] == "PrometheusRule"]
            must_hold(resources, values.name)
            configured(resources, hashward, scratch, values.name)
            for resource in resources:
                if resource["apiVersion"] in CUSTOM:
                    custom.append(resource)
                else:
                    kubernetes_validate.validate(resource, version, strict=True)
                    count += 1
        for values in sorted(home.glob("values/refused/*.yaml")):
            expected = values.read_text().splitlines()[0].removeprefix("# expected: ")
            done = helm(program, "template", "check", chart, "--values", values, "--kube-version", version)
            assert done.returncode != 0 and expected in done.stderr, f"{values}: {expected!r} in: {done.stderr}"
    kinds = {resource["kind"] for resource in custom}
    assert kinds == {"PodMonitor", "PrometheusRule", "ScaledObject"}, f"every kind is checked, not only {kinds}"
    subprocess.run(["node", f"{crds}/check.mjs"], input=json.dumps(custom), text=True, check=True)
    print(f"{count} built-in resources")


main()
