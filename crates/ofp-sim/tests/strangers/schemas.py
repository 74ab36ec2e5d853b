"""The committed schemas, held to what there is by a validator that is not ours.

schemas.py REPORT.json EVENTS.ndjson
"""
import json
import sys
from pathlib import Path

import yaml
from jsonschema import Draft7Validator


def schema(name):
    document = json.loads(Path(f"docs/schema/{name}.json").read_text())
    Draft7Validator.check_schema(document)
    return Draft7Validator(document)


def errors(validator, value):
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(value)]


class Plain(yaml.SafeLoader):
    """Dates stay texts, as they do for the tool."""


Plain.yaml_implicit_resolvers = {key: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
                                 for key, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()}
scenario = schema("scenario")
files = [*Path("scenarios").rglob("*.yaml"), *Path("docs/cookbook").rglob("*.yaml")]
for file in files:
    assert not (wrong := errors(scenario, yaml.load(file.read_text(), Plain))), f"{file}: {wrong}"
assert len(files) > 100

# what is wrong with these can be seen without the tool
broken = Path("crates/ofp-scenario/tests/broken")
for name in ("01-unknown-key", "02-unknown-verb", "03-two-verbs", "05-wrong-type", "08-unknown-mutation", "31-empty-steps"):
    value = yaml.load((broken / f"{name}.yaml").read_text(), Plain)
    assert errors(scenario, value), f"{name} is as the schema says"

profile = schema("profile")
for file in Path("crates/ofp-scenario/profiles").glob("*.yaml"):
    assert not (wrong := errors(profile, yaml.load(file.read_text(), Plain))), f"{file}: {wrong}"

report = json.loads(Path(sys.argv[1]).read_text())
assert not (wrong := errors(schema("report"), report)), wrong[:5]
spoilt = json.loads(json.dumps(report))
spoilt["requirements"][0]["verdict"] = "fine"
assert errors(schema("report"), spoilt)

event = schema("event")
lines = [json.loads(line) for line in Path(sys.argv[2]).read_text().splitlines()]
for line in lines:
    assert not (wrong := errors(event, line)), (line["event"], wrong[:3])
assert [lines[0]["event"], lines[-1]["event"]] == ["run_started", "run_finished"]
assert errors(event, {"event": "nothing"})
print(f"{len(files)} scenario files, {len(lines)} events, a report")
