# What `cmake --install` lays down: the library, its headers, find_package(asyncio) and asyncio.pc; the same for TLS,
# where there is OpenSSL: find_package(asyncio COMPONENTS tls), asyncio::tls and asyncio-tls.pc.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/asyncio)
install(TARGETS asyncio EXPORT asyncio_targets INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h"
    PATTERN "asyncio/tls*" EXCLUDE)
install(FILES modules/asyncio.cppm DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/asyncio/modules)
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs)
install(FILES tools/check_co_await.py tools/cpp_tokens.py tools/dead_closures.py tools/forgotten_awaits.py tools/locks_over_awaits.py tools/extract_snippets.py tools/timeline.html
    tools/debuggers/asyncio_gdb.py tools/debuggers/asyncio_lldb.py tools/debuggers/asyncio_printers.py
    tools/debuggers/asyncio_reader.py DESTINATION ${CMAKE_INSTALL_DATADIR}/asyncio)
if(BUILD_SHARED_LIBS)   # where gdb looks for what belongs to the library, if all lies in /usr
    install(CODE "
        set(library_dir \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}\")
        set(place \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}/gdb/auto-load\${library_dir}\")
        set(scripts \"${CMAKE_CURRENT_SOURCE_DIR}/tools/debuggers\")
        file(INSTALL \"\${scripts}/asyncio_gdb.py\" RENAME libasyncio.so.${PROJECT_VERSION}-gdb.py DESTINATION \"\${place}\")
        file(INSTALL \"\${scripts}/asyncio_printers.py\" \"\${scripts}/asyncio_reader.py\" DESTINATION \"\${place}\")")
endif()
file(RELATIVE_PATH tools_dir /${CMAKE_INSTALL_BINDIR} /${CMAKE_INSTALL_DATADIR}/asyncio)
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/asyncio-check-co-await
    "#!/bin/sh\nexec python3 \"$(dirname \"$(readlink -f \"$0\")\")/${tools_dir}/check_co_await.py\" \"$@\"\n")
install(PROGRAMS ${CMAKE_CURRENT_BINARY_DIR}/asyncio-check-co-await DESTINATION ${CMAKE_INSTALL_BINDIR})
install(EXPORT asyncio_targets FILE asyncio-targets.cmake NAMESPACE asyncio:: DESTINATION ${package_dir})

file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/asyncio-config.cmake [[
include(CMakeFindDependencyMacro)
find_dependency(Threads)
include("${CMAKE_CURRENT_LIST_DIR}/asyncio-targets.cmake")
foreach(component IN LISTS asyncio_FIND_COMPONENTS)
    set(asyncio_${component}_FOUND FALSE)
    if(component STREQUAL "tls" AND EXISTS "${CMAKE_CURRENT_LIST_DIR}/asyncio-tls-targets.cmake")
        find_dependency(OpenSSL 3.0)
        include("${CMAKE_CURRENT_LIST_DIR}/asyncio-tls-targets.cmake")
        set(asyncio_tls_FOUND TRUE)
    elseif(asyncio_FIND_REQUIRED_${component})
        set(asyncio_FOUND FALSE)
        set(asyncio_NOT_FOUND_MESSAGE "this asyncio was installed without the component '${component}'")
    endif()
endforeach()
]])
if(BUILD_SHARED_LIBS)   # asyncio_tls brings its own OpenSSL
    file(READ ${CMAKE_CURRENT_BINARY_DIR}/asyncio-config.cmake config)
    string(REPLACE "        find_dependency(OpenSSL 3.0)\n" "" config "${config}")
    file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/asyncio-config.cmake "${config}")
endif()
write_basic_package_version_file(asyncio-config-version.cmake COMPATIBILITY SameMinorVersion)
if(has_io_uring AND BUILD_SHARED_LIBS)   # what the library uses itself: of interest to `pkg-config --static` alone
    set(pc_private_libraries " -luring")
elseif(has_io_uring)                     # which a static library needs whoever links it to have, too
    set(pc_libraries " -luring")
endif()
file(RELATIVE_PATH pc_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)   # up from where asyncio.pc lies
configure_file(cmake/asyncio.pc.in asyncio.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/asyncio-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/asyncio-config-version.cmake
    DESTINATION ${package_dir})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/asyncio.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

if(has_tls)
    install(TARGETS asyncio_tls EXPORT asyncio_tls_targets)
    install(DIRECTORY include/asyncio/tls DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/asyncio)
    install(FILES include/asyncio/tls.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/asyncio)
    install(FILES modules/asyncio.tls.cppm DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/asyncio/modules)
    install(EXPORT asyncio_tls_targets FILE asyncio-tls-targets.cmake NAMESPACE asyncio:: DESTINATION ${package_dir})
    if(BUILD_SHARED_LIBS)
        set(pc_requires_private "libssl >= 3.0, libcrypto >= 3.0")
    else()
        set(pc_requires ", libssl >= 3.0, libcrypto >= 3.0")
    endif()
    configure_file(cmake/asyncio-tls.pc.in asyncio-tls.pc @ONLY)
    install(FILES ${CMAKE_CURRENT_BINARY_DIR}/asyncio-tls.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()
