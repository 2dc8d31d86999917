# SPDX-License-Identifier: Apache-2.0
"""A stand-in for RT-Thread's tools/building.py: the part of its documented behaviour that a package uses.

The BSP's own SConscript (and with it the packages) is read first, then the components'. Groups of one name are merged.
The image is linked from plain objects first, then libraries.
"""

import os
import re

from SCons.Script import *

Env = None
Projects = []
BuildOptions = {}


def GetCurrentDir():
    return os.path.dirname(File('SConscript').rfile().abspath)


def GetDepend(depend):
    """Returns the value of one option, or whether all of a list of options are on."""
    if isinstance(depend, str):
        value = BuildOptions.get(depend, False)
        return True if value == '' else value
    return all(item == '' or BuildOptions.get(item, False) is not False for item in depend)


def DefineGroup(name, src, depend, **parameters):
    if not GetDepend(depend):
        return []
    src = File(list(set(src))) if isinstance(src, list) else src
    for key in ('CPPPATH', 'LIBS', 'LIBPATH', 'CPPDEFINES'):
        if parameters.get(key):
            Env.AppendUnique(**{key: parameters[key]})
    for group in Projects:
        if group['name'] == name:
            group['src'] += src
            return src
    Projects.append({'name': name, 'src': list(src)})
    return src


def configure(with_menu):
    """Reads Kconfig and .config, lets the user change the options, and writes .config and rtconfig.h."""
    import kconfiglib
    kconfig = kconfiglib.Kconfig('Kconfig')
    if with_menu:
        import menuconfig
        menuconfig.menuconfig(kconfig)
    print(kconfig.load_config('.config') if os.path.exists('.config') else 'no .config: the defaults')
    print(kconfig.write_config('.config'))
    with open('rtconfig.h', 'w') as header:
        for symbol in kconfig.unique_defined_syms:
            if symbol.type == kconfiglib.STRING:
                header.write('#define %s "%s"\n' % (symbol.name, kconfiglib.escape(symbol.str_value)))
            elif symbol.str_value == 'y':
                header.write('#define %s\n' % symbol.name)
            elif symbol.str_value not in ('n', ''):
                header.write('#define %s %s\n' % (symbol.name, symbol.str_value))
        header.write('#include_next <rtconfig.h>\n')
    Exit(0)


def PrepareBuilding(env, root):
    """Reads rtconfig.h, then the BSP's SConscript, then the components'. Returns their objects."""
    global Env
    Env = env
    AddOption('--target', dest='target', type='string')
    AddOption('--menuconfig', dest='menuconfig', action='store_true', default=False)
    AddOption('--pyconfig-silent', dest='pyconfig_silent', action='store_true', default=False)
    if GetOption('menuconfig') or GetOption('pyconfig_silent'):
        configure(GetOption('menuconfig'))
    with open('rtconfig.h') as config:
        for name, value in re.findall(r'^#define\s+(\w+)[ \t]*(.*)$', config.read(), re.M):
            BuildOptions[name] = int(value) if value.isdigit() else value
    objects = SConscript('SConscript', variant_dir='build', duplicate=0)
    objects += SConscript(os.path.join(root, 'components', 'SConscript'),
                          variant_dir=os.path.join('build', 'components'), duplicate=0)
    return objects


def DoBuilding(target, objects):
    # As in RT-Thread's BSPs, the order of the libraries does not matter.
    Env['_LIBFLAGS'] = '-Wl,--start-group ' + Env['_LIBFLAGS'] + ' -Wl,--end-group'
    Default(Env.Program(target, sorted(Env.Object(objects), key=str)))
