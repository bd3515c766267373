import os
import re

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load

required_conan_version = ">=2.0"


class AsyncioConan(ConanFile):
    name = "asyncio-cpp"
    description = "Python's asyncio as a C++20 library"
    license = "MIT"
    homepage = "https://example.org/asyncio-cpp"
    topics = ("asyncio", "coroutines", "networking", "async", "tls")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False], "fPIC": [True, False], "tls": [True, False], "io_uring": [True, False]}
    default_options = {"shared": False, "fPIC": True, "tls": True, "io_uring": True}
    implements = ["auto_shared_fpic"]

    def set_version(self):
        text = load(self, os.path.join(self.recipe_folder, "../../include/asyncio/version.h"))
        self.version = ".".join(re.findall(r"#define ASYNCIO_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", text))

    def export_sources(self):
        root = os.path.join(self.recipe_folder, "../..")
        for pattern in ("CMakeLists.txt", "LICENSE", "README.md", "CHANGELOG.md", "cmake/*", "docs/*", "include/*", "modules/*", "src/*",
                        "tools/*.py", "tools/*.html"):
            copy(self, pattern, src=root, dst=self.export_sources_folder)

    def layout(self):
        cmake_layout(self, src_folder=".")

    def requirements(self):
        if self.options.tls:
            self.requires("openssl/[>=3.0 <4]")
        if self.options.io_uring:
            self.requires("liburing/[>=2.3]")

    def validate(self):
        check_min_cppstd(self, 20)
        if self.settings.os != "Linux":
            raise ConanInvalidConfiguration("asyncio for C++ runs on Linux")

    def generate(self):
        toolchain = CMakeToolchain(self)
        for name in ("TESTS", "EXAMPLES", "DOCS", "TOOLS"):
            toolchain.cache_variables[f"ASYNCIO_BUILD_{name}"] = False
        toolchain.cache_variables["ASYNCIO_TLS"] = "ON" if self.options.tls else "OFF"
        toolchain.cache_variables["ASYNCIO_IO_URING"] = "ON" if self.options.io_uring else "OFF"
        toolchain.cache_variables["ASYNCIO_PROBES"] = "OFF"
        toolchain.generate()
        CMakeDeps(self).generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        copy(self, "LICENSE", src=self.source_folder, dst=os.path.join(self.package_folder, "licenses"))
        CMake(self).install()

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "asyncio")
        core = self.cpp_info.components["core"]
        core.set_property("cmake_target_name", "asyncio::asyncio")
        core.set_property("pkg_config_name", "asyncio")
        core.libs = ["asyncio"]
        core.system_libs = ["pthread"]
        if self.options.io_uring:
            core.requires = ["liburing::liburing"]
        if self.options.tls:
            tls = self.cpp_info.components["tls"]
            tls.set_property("cmake_target_name", "asyncio::tls")
            tls.set_property("pkg_config_name", "asyncio-tls")
            tls.libs = ["asyncio_tls"]
            tls.requires = ["core", "openssl::ssl"]
