# The interpreter of the conformance language (tests/conformance/README.md).
file(GLOB conformance_sources CONFIGURE_DEPENDS tests/conformance/interpreter/*.cpp)
add_executable(conformance_interpreter ${conformance_sources})
target_include_directories(conformance_interpreter PRIVATE src)   # the loop's counter of passes is not public
target_link_libraries(conformance_interpreter PRIVATE asyncio asyncio_warnings)
set_target_properties(conformance_interpreter PROPERTIES
    OUTPUT_NAME interpreter RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/conformance)
