# Every examples/*.cpp is a program, and its output must be that of its Python twin beside it.
# The sources in examples/<name>/ belong to the program <name>. A program that has a test of its own,
# tests/examples/<name>_test.py, which gets the executable as argument, is not compared.

file(GLOB_RECURSE example_sources CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR}/examples examples/*.cpp)
file(GLOB example_twins CONFIGURE_DEPENDS examples/*.py)
file(GLOB example_tests CONFIGURE_DEPENDS tests/examples/*_test.py)
set(examples ${example_sources})
list(TRANSFORM examples REPLACE "(\\.cpp|/.*)$" "")
list(REMOVE_DUPLICATES examples)
if(NOT has_tls)
    list(FILTER examples EXCLUDE REGEX "^tls_")
endif()

add_custom_target(examples)
foreach(example IN LISTS examples)
    set(sources ${example_sources})
    list(FILTER sources INCLUDE REGEX "^${example}[./]")
    list(TRANSFORM sources PREPEND examples/)
    add_executable(example_${example} ${sources})
    add_dependencies(examples example_${example})
    target_link_libraries(example_${example} PRIVATE asyncio asyncio_warnings)
    if(example MATCHES "^tls_")
        target_link_libraries(example_${example} PRIVATE asyncio_tls)
    endif()
    set_target_properties(example_${example} PROPERTIES
        OUTPUT_NAME ${example} RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/examples)

    set(twin ${CMAKE_CURRENT_SOURCE_DIR}/examples/${example}.py)
    set(own_test ${CMAKE_CURRENT_SOURCE_DIR}/tests/examples/${example}_test.py)
    if(own_test IN_LIST example_tests)
        set(command ${own_test} $<TARGET_FILE:example_${example}>)
    elseif(twin IN_LIST example_twins)
        set(command ${CMAKE_CURRENT_SOURCE_DIR}/tools/compare_example.py $<TARGET_FILE:example_${example}> ${twin})
    else()
        continue()
    endif()
    if(ASYNCIO_BUILD_TESTS)
        add_test(NAME example/${example} COMMAND ${Python3_EXECUTABLE} ${command})
        set_tests_properties(example/${example} PROPERTIES LABELS examples TIMEOUT 120)
    endif()
endforeach()

# These have tasks that refer to something, which must outlive them also when Ctrl-C ends the program early.
if(ASYNCIO_BUILD_TESTS)
    foreach(example 060_background_tasks 320_condition)
        add_executable(interrupted_${example} tests/examples/interrupted.cpp $<TARGET_OBJECTS:example_${example}>)
        target_link_libraries(interrupted_${example} PRIVATE asyncio asyncio_warnings)
        target_link_options(interrupted_${example} PRIVATE -Wl,--wrap=main)
        add_test(NAME example/interrupted_${example} COMMAND ${Python3_EXECUTABLE}
            ${CMAKE_CURRENT_SOURCE_DIR}/tests/examples/interrupt.py $<TARGET_FILE:interrupted_${example}>)
        set_tests_properties(example/interrupted_${example} PROPERTIES LABELS examples TIMEOUT 120)
    endforeach()
endif()
