# Every bench/*_bench.cpp is a Google Benchmark program that answers one question.
find_package(benchmark REQUIRED)

file(GLOB bench_sources CONFIGURE_DEPENDS bench/*_bench.cpp)
foreach(source IN LISTS bench_sources)
    cmake_path(GET source STEM bench)
    add_executable(${bench} ${source})
    target_link_libraries(${bench} PRIVATE asyncio asyncio_warnings benchmark::benchmark_main)
    set_target_properties(${bench} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/bench)
endforeach()
