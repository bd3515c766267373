# The C++ of README.md and docs/*.md: whole programs run as tests, all else is compiled (see tools/extract_snippets.py).
file(GLOB markdown CONFIGURE_DEPENDS README.md docs/*.md)
add_library(of_docs INTERFACE)   # what they may use
target_link_libraries(of_docs INTERFACE asyncio)
if(has_tls)
    target_link_libraries(of_docs INTERFACE asyncio_tls)
    target_compile_definitions(of_docs INTERFACE ASYNCIO_DOCS_OF_TLS)
else()
    list(FILTER markdown EXCLUDE REGEX "/tls.md$")
endif()
set(snippets_dir ${CMAKE_CURRENT_BINARY_DIR}/snippets)
execute_process(
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/tools/extract_snippets.py ${snippets_dir} ${markdown}
    COMMAND_ERROR_IS_FATAL ANY)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${markdown} tools/extract_snippets.py)

# A snippet shows one thing and may leave names unused. Linked last, because the last option wins.
add_library(fewer_warnings INTERFACE)
target_compile_options(fewer_warnings INTERFACE -Wno-unused -Wno-shadow
    $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)   # which a #line sets off: it is for what headers define

file(GLOB fragments ${snippets_dir}/fragments/*.cpp)
if(fragments)
    add_library(doc_fragments OBJECT ${fragments})
    target_include_directories(doc_fragments PRIVATE tests)
    target_link_libraries(doc_fragments PRIVATE of_docs asyncio_warnings fewer_warnings)
endif()

file(GLOB programs ${snippets_dir}/programs/*.cpp)
foreach(source IN LISTS programs)
    cmake_path(GET source STEM program)
    add_executable(doc_${program} ${source})
    target_include_directories(doc_${program} PRIVATE tests)
    target_link_libraries(doc_${program} PRIVATE of_docs asyncio_warnings fewer_warnings)
    set_target_properties(doc_${program} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${snippets_dir})
    if(EXISTS ${snippets_dir}/programs/${program}.txt)
        add_test(NAME docs/${program} COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/tools/extract_snippets.py
            --compare $<TARGET_FILE:doc_${program}> ${snippets_dir}/programs/${program}.txt)
    else()
        add_test(NAME docs/${program} COMMAND doc_${program})
    endif()
    set_tests_properties(docs/${program} PROPERTIES LABELS docs TIMEOUT 60)
endforeach()

# Recipes: each page of them is one program, which prints what the page says.
file(GLOB recipes ${snippets_dir}/recipes/*.cpp)
foreach(source IN LISTS recipes)
    cmake_path(GET source STEM page)
    add_executable(recipes_${page} ${source})
    target_include_directories(recipes_${page} PRIVATE tests)
    target_link_libraries(recipes_${page} PRIVATE of_docs asyncio_warnings fewer_warnings)
    set_target_properties(recipes_${page} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${snippets_dir})
    add_test(NAME docs/recipes_${page}
        COMMAND sh -c "\"$0\" | diff -u \"$1\" -" $<TARGET_FILE:recipes_${page}> ${snippets_dir}/recipes/${page}.txt)
    set_tests_properties(docs/recipes_${page} PROPERTIES LABELS docs TIMEOUT 60)
endforeach()
