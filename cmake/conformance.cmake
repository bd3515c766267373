# The interpreter of the conformance language (tests/conformance/README.md).
file(GLOB conformance_sources CONFIGURE_DEPENDS tests/conformance/interpreter/*.cpp)
list(FILTER conformance_sources EXCLUDE REGEX "/main.cpp$")
add_library(conformance STATIC ${conformance_sources})
target_include_directories(conformance PUBLIC tests/conformance/interpreter
    src)   # the loop's counter of passes is not public
target_link_libraries(conformance PUBLIC asyncio PRIVATE asyncio_warnings)
add_executable(conformance_interpreter tests/conformance/interpreter/main.cpp)
target_link_libraries(conformance_interpreter PRIVATE conformance asyncio_warnings)
set_target_properties(conformance conformance_interpreter PROPERTIES
    ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/conformance
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/conformance)
set_target_properties(conformance_interpreter PROPERTIES OUTPUT_NAME interpreter)

if(ASYNCIO_BUILD_TESTS)
    add_test(NAME conformance/recorded COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/tests/conformance/corpus.py
        check --interpreter $<TARGET_FILE:conformance_interpreter>)
    add_test(NAME conformance/deadlocks COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/tests/conformance/deadlocks.py
        600 --jobs 1 --interpreter $<TARGET_FILE:conformance_interpreter>)
    set_tests_properties(conformance/recorded conformance/deadlocks PROPERTIES LABELS conformance TIMEOUT 300)
endif()
