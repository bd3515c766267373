# The port of vcpkg. URL and REF, a commit, are filled in when a version is published.
vcpkg_from_git(
    OUT_SOURCE_PATH SOURCE_PATH
    URL https://example.org/asyncio-cpp
    REF 0000000000000000000000000000000000000000
    HEAD_REF main)

vcpkg_check_features(OUT_FEATURE_OPTIONS FEATURE_OPTIONS FEATURES
    io-uring ASYNCIO_IO_URING
    tls ASYNCIO_TLS)

vcpkg_cmake_configure(SOURCE_PATH "${SOURCE_PATH}"
    OPTIONS ${FEATURE_OPTIONS} -DASYNCIO_PROBES=OFF -DASYNCIO_BUILD_TESTS=OFF -DASYNCIO_BUILD_EXAMPLES=OFF -DASYNCIO_BUILD_TOOLS=OFF -DASYNCIO_INSTALL=ON)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(PACKAGE_NAME asyncio CONFIG_PATH lib/cmake/asyncio)
vcpkg_fixup_pkgconfig()

# bin has only asyncio-check-co-await, which is not found there; `python3 share/asyncio/check_co_await.py` does the same.
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/bin" "${CURRENT_PACKAGES_DIR}/debug/bin")
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include" "${CURRENT_PACKAGES_DIR}/debug/share")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
