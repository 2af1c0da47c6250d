# SQL that travels inside the binary.

# embed_scripts(VARIABLE FOLDER): the .sql files of a folder in the order of their names, as entries of a C++ table of
# {name, text}, in VARIABLE. A file that is added, changed or removed makes the build configure itself anew.
function(embed_scripts variable folder)
  file(GLOB scripts CONFIGURE_DEPENDS ${folder}/*.sql)
  list(SORT scripts)
  set(entries "")
  foreach(script IN LISTS scripts)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${script})
    get_filename_component(script_name ${script} NAME)
    file(READ ${script} text)
    string(APPEND entries "    {\"${script_name}\", R\"sql(${text})sql\"},\n")
  endforeach()
  set(${variable} "${entries}" PARENT_SCOPE)
endfunction()
