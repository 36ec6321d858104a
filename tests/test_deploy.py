"""Dockerfile, compose.yaml and deploy/kubernetes.yaml fit the code: variables, commands, ports, times."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent import visibility
from agent.settings import Settings, load_settings
from worker import OVERDUE

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
OBJECTS: list[dict[str, Any]] = list(yaml.safe_load_all((ROOT / "deploy/kubernetes.yaml").read_text(encoding="utf-8")))
DEPLOYMENTS = {each["metadata"]["name"]: each["spec"]["template"] for each in OBJECTS if each["kind"] == "Deployment"}
[CONFIG] = [each["data"] for each in OBJECTS if each["kind"] == "ConfigMap"]
ELSEWHERE = ("STREAMLIT_", "PYTHON", "PATH")


def image_variables() -> dict[str, str]:
    [lines] = re.findall(r"^ENV ((?:.*\\\n)*.*)", DOCKERFILE, re.MULTILINE)
    return dict(re.findall(r"(\w+)=(\S+)", lines))


def container(name: str) -> dict[str, Any]:
    [found] = DEPLOYMENTS[name]["spec"]["containers"]
    return dict(found)


def variables(name: str) -> dict[str, str]:
    return {**CONFIG, **{each["name"]: each["value"] for each in container(name)["env"]}}


def seconds(time: str) -> float:
    return float(time.removesuffix("s"))


@pytest.mark.parametrize(
    "given",
    [
        image_variables(),
        SERVICES["page"]["environment"],
        SERVICES["worker"]["environment"],
        variables("steadfast-page"),
        variables("steadfast-worker"),
    ],
    ids=["Dockerfile", "compose page", "compose worker", "kubernetes page", "kubernetes worker"],
)
def test_every_variable_exists_and_has_a_value_that_is_accepted(given: dict[str, str]) -> None:
    ours = {name: value for name, value in given.items() if not name.startswith(ELSEWHERE)}
    assert ours
    assert {name.lower() for name in ours} <= set(Settings.model_fields)
    load_settings(ours)


def test_image_copies_what_the_two_programs_need_and_no_secrets() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+)", DOCKERFILE, re.MULTILINE)
    sources = [source for line in copied for source in shlex.split(line)[:-1]]
    allowed = {
        line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")
    }
    assert set(sources) == allowed
    assert all((ROOT / source).exists() for source in sources)


def test_image_runs_as_a_user_of_its_own_who_is_the_one_that_kubernetes_demands() -> None:
    [user] = re.findall(r"^USER (\d+):", DOCKERFILE, re.MULTILINE)
    for template in DEPLOYMENTS.values():
        context = template["spec"]["securityContext"]
        assert (context["runAsNonRoot"], context["runAsUser"]) == (True, int(user))
        [each] = template["spec"]["containers"]
        assert each["securityContext"]["readOnlyRootFilesystem"]
        assert {mount["mountPath"] for mount in each["volumeMounts"]} == {"/data", "/tmp"}
    assert "/data/" in DOCKERFILE.partition("STEADFAST_HOME=")[2].split()[0]


def test_workers_run_the_workers_command_and_pages_the_images() -> None:
    assert SERVICES["worker"]["command"] == container("steadfast-worker")["command"] == ["python", "worker.py"]
    assert "command" not in SERVICES["page"]
    assert "command" not in container("steadfast-page")
    assert 'CMD ["streamlit", "run", "app.py"]' in DOCKERFILE


def test_workers_have_longer_to_stop_than_they_take() -> None:
    own = SERVICES["worker"]
    assert seconds(own["stop_grace_period"]) > float(own["environment"]["WORKER_GRACE"]) + OVERDUE
    template = DEPLOYMENTS["steadfast-worker"]["spec"]
    assert template["terminationGracePeriodSeconds"] > float(CONFIG["WORKER_GRACE"]) + OVERDUE


def test_probes_ask_where_the_programs_answer() -> None:
    for name, health in (("steadfast-page", 8501), ("steadfast-worker", 8081)):
        ports = {port["name"]: port["containerPort"] for port in container(name)["ports"]}
        for kind, path in (("startup", "/healthz"), ("liveness", "/healthz"), ("readiness", "/readyz")):
            probe = container(name)[f"{kind}Probe"]["httpGet"]
            assert (probe["path"], ports[probe["port"]]) == (path, health)
    worker = variables("steadfast-worker")
    assert worker["HEALTH_ADDRESS"] == SERVICES["worker"]["environment"]["HEALTH_ADDRESS"] == "0.0.0.0:8081"
    scraped = DEPLOYMENTS["steadfast-worker"]["metadata"]["annotations"]["prometheus.io/port"]
    assert worker["METRICS_ADDRESS"] == f"0.0.0.0:{scraped}"
    assert "8501/readyz" in SERVICES["page"]["healthcheck"]["test"][-1]
    assert "8081/healthz" in SERVICES["worker"]["healthcheck"]["test"][-1]


def test_selectors_find_the_pods() -> None:
    labels = {name: template["metadata"]["labels"] for name, template in DEPLOYMENTS.items()}
    for each in OBJECTS:
        match each["kind"]:
            case "Deployment" | "PodDisruptionBudget":
                assert each["spec"]["selector"]["matchLabels"] == labels[each["metadata"]["name"]]
            case "Service":
                assert each["spec"]["selector"] == labels[each["metadata"]["name"]]


def test_nothing_is_published_beyond_this_machine() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_search_attributes_of_chats_are_made() -> None:
    script = SERVICES["namespace"]["command"][0]
    names = re.findall(r"--name (Chat\w+) --type Keyword", script)
    assert names == [key.name for key in (visibility.GOAL, visibility.STATUS, visibility.WAITING, visibility.VISITOR)]
