# asyncio-inspect shows the tasks of another process. It has nothing of the library but the description of its layout and
# the way it names functions, and is linked with nothing.
file(GLOB inspect_sources CONFIGURE_DEPENDS tools/inspect/*.cpp)
list(FILTER inspect_sources EXCLUDE REGEX "/main.cpp$")
add_library(asyncio_inspect_parts STATIC ${inspect_sources} src/errors/function_name.cpp)
target_include_directories(asyncio_inspect_parts PUBLIC tools/inspect src)
target_compile_features(asyncio_inspect_parts PUBLIC cxx_std_20)
target_link_libraries(asyncio_inspect_parts PRIVATE asyncio_warnings)
add_executable(asyncio_inspect tools/inspect/main.cpp)
target_link_libraries(asyncio_inspect PRIVATE asyncio_inspect_parts asyncio_warnings)
set_target_properties(asyncio_inspect PROPERTIES OUTPUT_NAME asyncio-inspect)
set_target_properties(asyncio_inspect asyncio_inspect_parts PROPERTIES UNITY_BUILD OFF)
if(ASYNCIO_INSTALL)
    install(TARGETS asyncio_inspect RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
if(NOT ASYNCIO_BUILD_TESTS)
    return()
endif()

# Programs to look at: as all here is built, and where nothing forbids it without any other library, and by clang.
function(add_inspected name)
    add_executable(${name} tests/inspect/program.cpp)
    target_link_libraries(${name} PRIVATE asyncio asyncio_warnings)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/inspect)
endfunction()
add_inspected(inspected)
set(inspected_programs $<TARGET_FILE:inspected>)
if(NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize")
    add_inspected(inspected_static)
    target_link_options(inspected_static PRIVATE -static)
    list(APPEND inspected_programs $<TARGET_FILE:inspected_static>)
endif()
add_executable(inspect_forger tests/inspect/forger.cpp)
target_include_directories(inspect_forger PRIVATE src)
target_compile_features(inspect_forger PRIVATE cxx_std_20)
target_compile_options(inspect_forger PRIVATE -fno-sanitize=all)   # so that there are core files of it
target_link_options(inspect_forger PRIVATE -fno-sanitize=all)
target_link_libraries(inspect_forger PRIVATE asyncio_warnings)

add_executable(inspected_shop tests/inspect/shop.cpp)   # at which the pages look
target_link_libraries(inspected_shop PRIVATE asyncio asyncio_warnings)
set_target_properties(inspected_shop PROPERTIES OUTPUT_NAME shop
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/inspect)

find_program(GDB_PROGRAM gdb)
find_program(LLDB_PROGRAM NAMES lldb lldb-19)
mark_as_advanced(GDB_PROGRAM LLDB_PROGRAM)
foreach(suite states errors cores hostile gdb lldb probes)
    if((suite STREQUAL "gdb" AND NOT GDB_PROGRAM) OR (suite STREQUAL "lldb" AND NOT LLDB_PROGRAM)
       OR (suite STREQUAL "probes" AND NOT (GDB_PROGRAM AND has_probes)))
        continue()
    endif()
    add_test(NAME inspect/${suite} COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/tests/inspect/${suite}_test.py
        $<TARGET_FILE:asyncio_inspect> $<TARGET_FILE:inspect_forger> ${inspected_programs})
    set_tests_properties(inspect/${suite} PROPERTIES LABELS tools TIMEOUT 300 ENVIRONMENT "LLDB_PROGRAM=${LLDB_PROGRAM}")
endforeach()
add_test(NAME inspect/pages COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/tests/inspect/pages_test.py
    $<TARGET_FILE:asyncio_inspect> $<TARGET_FILE:inspect_forger> $<TARGET_FILE:inspected_shop>)
set_tests_properties(inspect/pages PROPERTIES LABELS tools TIMEOUT 120)
