"""The files of ``deploy/`` against the program that they deploy: variables, times, paths, figures."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from prometheus_client import REGISTRY

from routing.gateway import metrics  # noqa: F401 - its figures are what dashboards show

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
# What is not a setting of the gateway: Python's own, and the database container's.
FOREIGN = {"PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}
SETTLING = 30.0  # seconds that a supervisor gives beyond the drain


def settings_variables() -> set[str]:
    """Every variable that the settings read, by their text."""
    names = set()
    for node in ast.walk(ast.parse((ROOT / "proxysite" / "settings.py").read_text())):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and re.fullmatch("[A-Z][A-Z0-9_]+", node.value)
        ):
            names.add(node.value)
    return names


def objects() -> Iterator[dict[str, Any]]:
    for path in MANIFESTS:
        yield from yaml.safe_load_all(path.read_text())


def find(kind: str) -> dict[str, Any]:
    (found,) = [each for each in objects() if each["kind"] == kind]
    return found


def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((DEPLOY / "compose.yaml").read_text()))


def deployed_variables() -> Iterator[tuple[str, str]]:
    for name in compose()["services"]["gateway"]["environment"]:
        yield "compose.yaml", name
    for name in find("Secret")["stringData"]:
        yield "secret.example.yaml", name
    for variable in find("Deployment")["spec"]["template"]["spec"]["containers"][0]["env"]:
        yield "gateway.yaml", variable["name"]
    for block in re.findall(r"^ENV (.*(?:\\\n.*)*)", (DEPLOY / "Dockerfile").read_text(), re.M)[1:]:
        for name in re.findall(r"([A-Z_]+)=", block):
            yield "Dockerfile", name
    unit = (DEPLOY / "systemd" / "tollgate.service").read_text()
    for line in re.findall(r"^Environment=(.*)", unit, re.M):
        for name in re.findall(r"([A-Z_]+)=", line):
            yield "tollgate.service", name


def test_every_variable_is_a_setting() -> None:
    known = settings_variables() | FOREIGN
    deployed = set(deployed_variables())
    assert len(deployed) > 20
    assert not {(where, name) for where, name in deployed if name not in known}


def seconds(text: str) -> float:
    return float(text.removesuffix("s"))


def test_nobody_is_killed_while_it_drains() -> None:
    pod = find("Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    env = {variable["name"]: variable["value"] for variable in container["env"]}
    drain = float(env["DRAIN_NOTICE_SECONDS"]) + float(env["DRAIN_SECONDS"])
    before = float(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["terminationGracePeriodSeconds"] >= before + drain + SETTLING

    gateway = compose()["services"]["gateway"]
    env = gateway["environment"]
    drain = float(env["DRAIN_NOTICE_SECONDS"]) + float(env["DRAIN_SECONDS"])
    assert seconds(gateway["stop_grace_period"]) >= drain + SETTLING

    unit = (DEPLOY / "systemd" / "tollgate.service").read_text()
    (stop,) = re.findall(r"^TimeoutStopSec=(\d+)", unit, re.M)
    (drained,) = re.findall(r"DRAIN_SECONDS=(\d+)", unit)
    assert float(stop) >= float(drained) + SETTLING


def test_nginx_keeps_idle_connections_shorter_than_the_notice() -> None:
    conf = (DEPLOY / "nginx" / "nginx.conf").read_text()
    upstream = conf.partition("upstream gateway {")[2].partition("}")[0]
    (kept,) = re.findall(r"keepalive_timeout (\w+);", upstream)
    assert seconds(kept) < float(compose()["services"]["gateway"]["environment"]["DRAIN_NOTICE_SECONDS"])
    line = conf.partition("location /v1/ {")[2].partition("\n        }")[0]
    assert "proxy_buffering off;" in line
    (read,) = re.findall(r"proxy_read_timeout (\w+);", line)
    assert seconds(read) > 600, "UPSTREAM_SILENCE_SECONDS"


def test_probes_ask_what_is_served() -> None:
    (container,) = find("Deployment")["spec"]["template"]["spec"]["containers"]
    assert container["readinessProbe"]["httpGet"]["path"] == container["startupProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert compose()["services"]["gateway"]["read_only"] is True


@pytest.mark.parametrize("kind", ["Service", "PodDisruptionBudget", "HorizontalPodAutoscaler"])
def test_manifests_speak_of_the_same_pods(kind: str) -> None:
    found, deployment = find(kind), find("Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert labels == deployment["spec"]["selector"]["matchLabels"]
    if kind == "HorizontalPodAutoscaler":
        assert found["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    else:
        selector = found["spec"]["selector"]
        assert selector.get("matchLabels", selector) == labels


def figures() -> set[str]:
    """Names of all series, as Prometheus knows them."""
    names = set()
    for family in REGISTRY.collect():
        names |= {family.name, f"{family.name}_total", f"{family.name}_bucket", f"{family.name}_count"}
    return names


def test_dashboard_alerts_and_autoscaler_ask_for_figures_that_there_are() -> None:
    dashboard = orjson.loads((DEPLOY / "grafana" / "tollgate.json").read_bytes())
    alerts = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    asked += [rule["expr"] for group in alerts["groups"] for rule in group["rules"]]
    asked += [each["pods"]["metric"]["name"] for each in find("HorizontalPodAutoscaler")["spec"]["metrics"]]
    names = {name for expression in asked for name in re.findall(r"tollgate_\w+", expression)}
    assert len(names) > 10
    assert not names - figures()


def test_the_image_copies_what_runs() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    copied = set(re.findall(r"^COPY (\w[\w./]*) ", dockerfile, re.M))
    assert copied == {"requirements.txt", "manage.py", "proxysite", "routing", "accounting", "templates"}
    assert all((ROOT / name).exists() for name in copied)
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert copied == kept
    assert "USER 10001" in dockerfile
