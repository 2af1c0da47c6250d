# embed_assets(TARGET <target> DIR <folder> SDK <folder>)
#   Builds the web page in DIR with npm and puts it into TARGET, which then defines EmbeddedAssets() of
#   app/embedded_assets.h. The page imports the sources in SDK, by the paths in its tsconfig.json. npm works on a copy of
#   both inside the build directory, so that presets built at the same time do not disturb each other and the sources stay
#   clean; they lie there as they do in the repository. Packages are installed again only when package-lock.json changes.
find_program(NOVAFEED_NODE node REQUIRED)
find_program(NOVAFEED_NPM npm REQUIRED)
set(NOVAFEED_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/embed_assets.mjs)

function(embed_assets)
  cmake_parse_arguments(PARSE_ARGV 0 EMBED "" "TARGET;DIR;SDK" "")
  cmake_path(RELATIVE_PATH EMBED_SDK BASE_DIRECTORY ${EMBED_DIR} OUTPUT_VARIABLE sdk)
  set(copy ${CMAKE_CURRENT_BINARY_DIR}/page/web)
  set(manifest ${EMBED_DIR}/package.json ${EMBED_DIR}/package-lock.json)
  set(installed ${copy}/installed.stamp)
  set(generated ${CMAKE_CURRENT_BINARY_DIR}/embedded_assets.cpp)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${EMBED_DIR}/src/* ${EMBED_SDK}/*)

  add_custom_command(
    OUTPUT ${installed}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${copy}
    COMMAND ${CMAKE_COMMAND} -E copy ${manifest} ${copy}
    COMMAND ${CMAKE_COMMAND} -E chdir ${copy}
            ${NOVAFEED_NPM} ci --omit=dev --prefer-offline --no-audit --no-fund --loglevel=error
    COMMAND ${CMAKE_COMMAND} -E touch ${installed}
    DEPENDS ${manifest}
    COMMENT "Installing what the web page is built with"
    VERBATIM)

  add_custom_command(
    OUTPUT ${generated}
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${copy}/src ${copy}/dist ${copy}/${sdk}
    COMMAND ${CMAKE_COMMAND} -E copy ${EMBED_DIR}/tsconfig.json ${copy}
    COMMAND ${CMAKE_COMMAND} -E copy_directory ${EMBED_DIR}/src ${copy}/src
    COMMAND ${CMAKE_COMMAND} -E copy_directory ${EMBED_SDK} ${copy}/${sdk}
    COMMAND ${CMAKE_COMMAND} -E chdir ${copy} ${NOVAFEED_NPM} run --silent build
    COMMAND ${NOVAFEED_NODE} ${NOVAFEED_EMBED_SCRIPT} ${copy}/dist ${generated}
    DEPENDS ${installed} ${sources} ${EMBED_DIR}/tsconfig.json ${NOVAFEED_EMBED_SCRIPT}
    COMMENT "Building the web page"
    VERBATIM)

  target_sources(${EMBED_TARGET} PRIVATE ${generated})
endfunction()
