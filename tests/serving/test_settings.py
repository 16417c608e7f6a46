from __future__ import annotations

import ast

import pytest

from spade_paddle.errors import ConfigError
from spade_paddle.serving.settings import PLAIN_ONLY, TABLE, ServiceSettings, variable
from tests.serving.conftest import ROOT


def test_nothing_given_means_this_computer_only_and_no_foreign_pages():
    settings = ServiceSettings.read(environ={})
    assert settings == ServiceSettings()
    assert (settings.host, settings.cors_origins) == ("127.0.0.1", ())


def test_the_table_has_a_row_for_every_field_and_its_default():
    assert vars(ServiceSettings()) == {setting.name: setting.default for setting in TABLE}
    assert [setting.name for setting in TABLE if setting.secret] == ["api_token"]
    assert all(setting.meaning.endswith(".") for setting in TABLE)


def test_environment_variables_are_read_and_checked_into_types():
    environ = {
        "GAUGAN_HOST": "0.0.0.0",
        "GAUGAN_CORS_ORIGINS": "https://a.example, http://localhost:5173",
        "GAUGAN_MAX_PIXELS": "65536",
        "GAUGAN_USE_GPU": "yes",
        "GAUGAN_THREADS": "",
    }
    settings = ServiceSettings.read(environ=environ)
    assert settings.host == "0.0.0.0"
    assert settings.cors_origins == ("https://a.example", "http://localhost:5173")
    assert settings.max_pixels == 65536
    assert settings.use_gpu is True
    assert settings.threads is None


def test_init_args_win_over_the_environment_and_none_means_not_given():
    environ = {"GAUGAN_QUEUE_LENGTH": "3", "GAUGAN_MAX_IMAGES": "2"}
    settings = ServiceSettings.read({"queue_length": 5, "max_images": None}, environ=environ)
    assert (settings.queue_length, settings.max_images) == (5, 2)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GAUGAN_MAX_BODY_BYTES", "20MB"),
        ("GAUGAN_QUEUE_LENGTH", "-1"),
        ("GAUGAN_THREADS", "0"),
        ("GAUGAN_USE_GPU", "maybe"),
        ("GAUGAN_CORS_ORIGINS", "https://a.example/"),
        ("GAUGAN_CORS_ORIGINS", "a.example"),
        ("GAUGAN_CORS_ORIGINS", "https://*.example"),
        ("GAUGAN_CORS_ORIGINS", "*,https://a.example"),
        ("GAUGAN_PORT", "70000"),
        ("GAUGAN_CACHE_MIB", "-1"),
        ("GAUGAN_ACCESS_LOG", "sometimes"),
    ],
)
def test_a_value_that_does_not_parse_names_its_variable_and_what_came(variable, value):
    with pytest.raises(ConfigError) as caught:
        ServiceSettings.read(environ={variable: value})
    assert variable in str(caught.value)
    assert value in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"), [("threads", True), ("max_pixels", 1e6), ("cors_origins", [1]), ("host", 1)]
)
def test_init_args_of_the_wrong_type_name_their_key(name, value):
    with pytest.raises(ConfigError, match=f"init_args '{name}'"):
        ServiceSettings.read({name: value}, environ={})


def test_an_unknown_init_arg_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match="cors_origins") as caught:
        ServiceSettings.read({"origins": "https://a.example"}, environ={})
    assert caught.value.details["setting"] == "origins"


def test_the_hub_module_takes_exactly_the_settings_of_the_table():
    tree = ast.parse((ROOT / "hub_module/module.py").read_text(encoding="utf-8"))
    constructor = next(
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == "__init__"
    )
    arguments = [argument.arg for argument in constructor.args.args[1:]]
    assert sorted(arguments) == sorted(row.name for row in TABLE if row.name not in PLAIN_ONLY)
    assert PLAIN_ONLY == ("port", "workers")


@pytest.mark.parametrize("token", ["short", "two words here", "schlüssel-lang-genug", 12345678])
def test_a_token_is_never_shown_neither_in_errors_nor_in_the_settings(token):
    with pytest.raises(ConfigError) as caught:
        ServiceSettings.read({"api_token": token}, environ={})
    assert "api_token" in str(caught.value) and str(token) not in str(caught.value)
    assert str(token) not in repr(caught.value.details) and caught.value.__cause__ is None
    good = ServiceSettings.read(environ={"GAUGAN_API_TOKEN": " 0123456789abcdef "})
    assert good.api_token == "0123456789abcdef"
    assert "0123456789abcdef" not in repr(good)


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("use_gpu", 1, True),
        ("use_gpu", " No ", False),
        ("access_log", False, False),
        ("threads", " 3 ", 3),
        ("threads", None, None),
        ("host", " ::1 ", "::1"),
        ("cors_origins", "*", ("*",)),
        ("cors_origins", ["https://a.example"], ("https://a.example",)),
        ("cors_origins", ("*",), ("*",)),
        ("api_token", " 0123456789abcdef ", "0123456789abcdef"),
    ],
)
def test_values_of_other_forms_are_read(name, value, read):
    assert getattr(ServiceSettings.read({name: value}, environ={}), name) == read
    if isinstance(value, str):
        assert (
            getattr(ServiceSettings.read(environ={f"GAUGAN_{name.upper()}": value}), name) == read
        )


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("port", "70000", "'port' must be a whole number from 1 to 65535, got '70000'"),
        ("threads", 0, "'threads' must be a whole number of at least 1, got 0"),
        ("max_pixels", "8.5", "'max_pixels' must be a whole number of at least 1024, got '8.5'"),
        ("use_gpu", "maybe", "'use_gpu' must be 1, 0, true, false, yes or no, got 'maybe'"),
        ("use_gpu", 2, "'use_gpu' must be 1, 0, true, false, yes or no, got 2"),
        ("host", " ", "'host' must be a non-empty string, got ''"),
        ("cors_origins", ["*", "https://a.example"], "'cors_origins' must be origins such as "),
        ("api_token", "short", "must be at least 8 printable ASCII characters without"),
        ("treads", 1, "unknown setting 'treads'; did you mean 'threads'?"),
        ("qqqq", 1, "unknown setting 'qqqq'; known: host, port, "),
    ],
)
def test_an_error_says_where_what_was_expected_and_what_came(name, value, told):
    with pytest.raises(ConfigError) as caught:
        ServiceSettings.read({name: value}, environ={}, given_as="--{}".format)
    assert str(caught.value).startswith(f"setting --{name}: ") and told in str(caught.value)
    code = "setting_unknown" if told.startswith("unknown") else "setting_invalid"
    assert (caught.value.code, caught.value.details) == (code, {"setting": name})


def test_a_token_that_is_given_in_code_is_not_shown_either():
    with pytest.raises(ValueError, match="api_token") as caught:
        ServiceSettings(api_token="short7")
    assert "short7" not in str(caught.value)


@pytest.mark.parametrize("name", ["README.md", "README_zh.md"])
def test_the_module_readme_documents_every_setting_with_its_default(name):
    readme = (ROOT / "hub_module" / name).read_text(encoding="utf-8")
    for setting in TABLE:
        row = next(line for line in readme.splitlines() if line.startswith(f"| `{setting.name}` |"))
        assert f"`{variable(setting.name)}`" in row
        assert setting.default in (None, ()) or f"`{setting.default}`" in row
