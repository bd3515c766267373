#!/usr/bin/env python3
"""What cmake/install.cmake installs must be among the files that the Conan recipe exports: it builds and installs from
a copy of them.

check_packaging.py [ROOT]    copies by the recipe's own export_sources(); exit 1 and one line for each file that is missing
check_packaging.py --self-test
"""
import fnmatch
import pathlib
import re
import shutil
import sys
import tempfile
import types

RECIPE = "packaging/conan/conanfile.py"
INSTALL = "cmake/install.cmake"


def copy(_, pattern, src, dst):
    """As conan.tools.files.copy: the pattern is of the whole path below `src`, and its * goes over slashes."""
    start = pathlib.Path(src, pattern.split("*")[0].rpartition("/")[0])  # not all the tree, which has builds in it
    for path in start.rglob("*") if "*" in pattern else [start / pathlib.PurePath(pattern).name]:
        name = path.relative_to(src)
        if fnmatch.fnmatch(name.as_posix().lower(), pattern.lower()) and path.is_file():
            place = pathlib.Path(dst, name)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)


def stand_ins():
    """Modules with the names that the recipe imports, for machines without Conan."""
    class ConanFile:
        pass

    class Any:
        def __init__(self, *_, **__):
            pass

    names = {
        "conan": {"ConanFile": ConanFile}, "conan.errors": {"ConanInvalidConfiguration": Exception}, "conan.tools": {},
        "conan.tools.build": {"check_min_cppstd": Any}, "conan.tools.files": {"copy": copy, "load": Any},
        "conan.tools.cmake": {"CMake": Any, "CMakeDeps": Any, "CMakeToolchain": Any, "cmake_layout": Any},
    }
    for name, members in names.items():
        sys.modules[name] = types.ModuleType(name)
        vars(sys.modules[name]).update(members)
    return ConanFile


def export(root, folder):
    """Runs the recipe's export_sources() into the folder."""
    base = stand_ins()
    scope = {}
    exec(compile((root / RECIPE).read_text(), RECIPE, "exec"), scope)
    recipe_class = next(item for item in scope.values() if isinstance(item, type) and issubclass(item, base) and item is not base)
    recipe = recipe_class()
    recipe.recipe_folder = str((root / RECIPE).parent)
    recipe.export_sources_folder = str(folder)
    recipe.export_sources()


def installed(text):
    """The files and folders of the source tree that install.cmake names."""
    text = re.sub(r"^\s*#.*|\s#\s.*$", "", text, flags=re.M).replace("\\", "")
    for name, value in re.findall(r'set\((\w+) "?\$\{CMAKE_CURRENT_SOURCE_DIR\}/([^"\s)]+)"?\)', text):
        text = text.replace("${" + name + "}", value)
    for words in re.findall(r"install\((?:FILES|PROGRAMS|DIRECTORY)\s+(.*?)\s+DESTINATION", text, re.S):
        yield from words.split()
    yield from re.findall(r"configure_file\((\S+)", text)
    for words in re.findall(r"file\(INSTALL\s+(.*?)\s+(?:RENAME|DESTINATION)", text, re.S):
        yield from (word.strip('"') for word in words.split())


def missing(root):
    names = sorted({name.rstrip("/") for name in installed((root / INSTALL).read_text()) if not name.startswith("${")})
    if not names:
        return [f"{INSTALL}: nothing is installed?"]
    with tempfile.TemporaryDirectory() as folder:
        export(root, folder)
        found = [f"{RECIPE}: {name} is not exported, and {INSTALL} installs it"
                 for name in names if not pathlib.Path(folder, name).exists()]
    return found


def self_test():
    recipe = """
from conan import ConanFile
from conan.tools.files import copy
class Recipe(ConanFile):
    def export_sources(self):
        for pattern in ("LICENSE", "docs/*", "tools/*.py"):
            copy(self, pattern, src=self.recipe_folder + "/../..", dst=self.export_sources_folder)
"""
    install = """
install(FILES LICENSE DESTINATION x)   # install(FILES never DESTINATION x)
install(DIRECTORY docs/ DESTINATION x)
install(FILES tools/a.py tools/page.html
    tools/deep/b.py DESTINATION x)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/made DESTINATION x)
install(CODE "
    set(scripts \\"${CMAKE_CURRENT_SOURCE_DIR}/tools/gone\\")
    file(INSTALL \\"\\${scripts}/c.txt\\" RENAME d DESTINATION y)")
configure_file(cmake/x.in x @ONLY)
"""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name in (RECIPE, INSTALL, "LICENSE", "docs/a.md", "tools/a.py", "tools/page.html", "tools/deep/b.py",
                     "tools/gone/c.txt", "cmake/x.in"):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text({RECIPE: recipe, INSTALL: install}.get(name, ""))
        found = [line.split()[1] for line in missing(root)]
        assert found == ["cmake/x.in", "tools/gone/c.txt", "tools/page.html"], found
        (root / RECIPE).write_text(recipe.replace("tools/*.py", "tools/*").replace("docs/*", "docs/*\", \"cmake/*"))
        assert not missing(root), missing(root)


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    root = pathlib.Path(sys.argv[1]) if sys.argv[1:] else pathlib.Path(__file__).resolve().parent.parent
    found = missing(root.resolve())
    print("\n".join(found) or "the Conan recipe exports all that is installed")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
