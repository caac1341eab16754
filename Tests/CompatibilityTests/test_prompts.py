"""Prompts live in the registry: registered models with a tag, versions whose text is a tag."""

import mlflow
import pytest

from support.api import pairs, unique


@pytest.fixture
def prompt(client) -> str:
    """The name of a prompt with two versions."""
    name = unique("prompt")
    mlflow.genai.register_prompt(name, "Say {{word}} once.", commit_message="first", tags={"lang": "en"})
    mlflow.genai.register_prompt(name, "Say {{word}} twice.")
    return name


def test_versions_are_loaded(prompt):
    assert mlflow.genai.load_prompt(prompt, version=1).template == "Say {{word}} once."
    assert mlflow.genai.load_prompt(f"prompts:/{prompt}/2").template == "Say {{word}} twice."
    assert mlflow.genai.load_prompt(prompt, version=2).format(word="hi") == "Say hi twice."


def test_the_commit_message_and_tags_are_kept(client, prompt):
    first = mlflow.genai.load_prompt(prompt, version=1)
    assert (first.commit_message, first.tags.get("lang")) == ("first", "en")


def test_aliases(prompt):
    mlflow.genai.set_prompt_alias(prompt, "live", 1)
    assert mlflow.genai.load_prompt(f"prompts:/{prompt}@live").version == 1
    mlflow.genai.set_prompt_alias(prompt, "live", 2)
    assert mlflow.genai.load_prompt(f"prompts:/{prompt}@live", cache_ttl_seconds=0).version == 2
    mlflow.genai.delete_prompt_alias(prompt, "live")
    with pytest.raises(Exception):
        mlflow.genai.load_prompt(f"prompts:/{prompt}@live", cache_ttl_seconds=0)


def test_latest(prompt):
    assert mlflow.genai.load_prompt(f"prompts:/{prompt}@latest", cache_ttl_seconds=0).version == 2


def test_a_chat_prompt(client):
    name = unique("prompt")
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "{{question}}"}]
    mlflow.genai.register_prompt(name, messages)
    assert mlflow.genai.load_prompt(name, version=1).template == messages


def test_tags(client, prompt):
    client.set_prompt_tag(prompt, "team", "x")
    assert client.get_prompt(prompt).tags["team"] == "x"
    client.delete_prompt_tag(prompt, "team")
    assert "team" not in client.get_prompt(prompt).tags
    client.set_prompt_version_tag(prompt, 1, "state", "good")
    assert mlflow.genai.load_prompt(prompt, version=1, cache_ttl_seconds=0).tags["state"] == "good"


def test_search(client, prompt):
    assert prompt in [item.name for item in mlflow.genai.search_prompts(f"name = '{prompt}'")]
    assert [int(version.version) for version in client.search_prompt_versions(prompt)] in ([2, 1], [1, 2])
    assert list(client.search_registered_models(f"name = '{prompt}'")) == []


def test_on_the_wire_it_is_a_registered_model(api, prompt):
    model = api.get("registered-models/get", name=prompt)["registered_model"]
    assert pairs(model["tags"])["mlflow.prompt.is_prompt"] == "true"
    version = api.get("model-versions/get", name=prompt, version=1)["model_version"]
    assert pairs(version["tags"])["mlflow.prompt.text"].strip('"') == "Say {{word}} once."


def test_a_model_and_a_prompt_do_not_share_a_name(client, api, prompt):
    failure = api.failure("POST", "registered-models/create", {"name": prompt})
    assert (failure.status, failure.code) == (400, "RESOURCE_ALREADY_EXISTS")
    with pytest.raises(Exception):
        mlflow.genai.register_prompt(api.model(), "text")


def test_a_version_is_deleted(client, prompt):
    client.delete_prompt_version(prompt, 1)
    assert mlflow.genai.load_prompt(prompt, version=1, allow_missing=True, cache_ttl_seconds=0) is None
    assert mlflow.genai.load_prompt(prompt, version=2, cache_ttl_seconds=0).version == 2
