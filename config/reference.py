"""The table of all configuration keys, from the schema: `python config/reference.py` puts it into config/README.md."""

from pathlib import Path

import yaml

HERE = Path(__file__).parent
SCHEMA = HERE.parent / "workflow/schemas/config.schema.yaml"
BEGIN, END = "<!-- from the schema: begin -->\n", "<!-- from the schema: end -->\n"


def rows(schema):
    """(key, default, what it is) of every key; those of an instrument as instruments.<name>.key, and so on."""
    required = schema["required"]
    for key, entry in schema["properties"].items():
        default = "required" if key in required else shown(entry.get("default"))
        if key == "instruments":
            default = "nircam, miri, niriss"
        yield key, default, meaning(entry)
    for key, entry in schema["$defs"]["instrument"]["properties"].items():
        yield f"instruments.<name>.{key}", "", meaning(entry)
    made = schema["$defs"]["made_reference"]
    for key, entry in made["properties"].items():
        default = "required" if key in made["required"] else shown(entry["default"]) if "default" in entry else ""
        yield f"references.<label>.{key}", default, meaning(entry)
    for key, entry in schema["properties"]["release"]["properties"].items():
        yield f"release.{key}", shown(entry["default"]) if "default" in entry else "", meaning(entry)
    for key, entry in schema["$defs"]["fetch"]["properties"].items():
        yield f"fetch.{key}", shown(entry["default"]), meaning(entry)


def meaning(entry):
    choices = f" One of {', '.join(map(shown, entry['enum']))}." if "enum" in entry else ""
    return entry["description"] + choices


def shown(value):
    return f"`{yaml.safe_dump(value, default_flow_style=True, width=1000).splitlines()[0]}`"


def table(schema):
    lines = ["| key | default | what it is |", "|---|---|---|"]
    return "\n".join(lines + [f"| `{key}` | {default} | {words} |" for key, default, words in rows(schema)]) + "\n"


def with_table(text, schema):
    """The text of config/README.md with its table as the schema has it."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}{table(schema)}{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    path = HERE / "README.md"
    path.write_text(with_table(path.read_text(), yaml.safe_load(SCHEMA.read_text())))
