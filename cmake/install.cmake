# What `cmake --install` lays down: the library, its headers, find_package(asyncio) and asyncio.pc.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/asyncio)
install(TARGETS asyncio EXPORT asyncio_targets FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT asyncio_targets FILE asyncio-targets.cmake NAMESPACE asyncio:: DESTINATION ${package_dir})

file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/asyncio-config.cmake [[
include(CMakeFindDependencyMacro)
find_dependency(Threads)
include("${CMAKE_CURRENT_LIST_DIR}/asyncio-targets.cmake")
]])
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
