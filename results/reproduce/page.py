"""A page with parts that are made anew, between <!-- begin NAME --> and <!-- end NAME -->; the rest is written by hand."""
import os
import re


def fill(template, path, parts):
    """Write the template with these parts {NAME: text} to path.  Each must have its place, and each place its part."""
    with open(template) as file:
        text = file.read()
    places = re.findall(r"^<!-- begin (\S+) -->$", text, re.M)
    if sorted(places) != sorted(parts):
        raise SystemExit(f"{template}: places {sorted(places)} for parts {sorted(parts)}")
    for name, part in parts.items():
        mark = re.escape(f" {name} -->")
        text = re.sub(f"(<!-- begin{mark}\n).*?(<!-- end{mark})", lambda m: m[1] + part.rstrip("\n") + "\n" + m[2], text,
                      flags=re.S)
    with open(path + ".new", "w") as file:
        file.write(text)
    os.replace(path + ".new", path)


def table(head, rows):
    """GitHub's Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
