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
    """Whether all of these options are on; of a single one, its value."""
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


def PrepareBuilding(env, root):
    """Reads rtconfig.h, then the BSP's SConscript, then the components'. Gives their objects."""
    global Env
    Env = env
    AddOption('--target', dest='target', type='string')
    with open('rtconfig.h') as config:
        for name, value in re.findall(r'^#define\s+(\w+)[ \t]*(.*)$', config.read(), re.M):
            BuildOptions[name] = int(value) if value.isdigit() else value
    objects = SConscript('SConscript', variant_dir='build', duplicate=0)
    objects += SConscript(os.path.join(root, 'components', 'SConscript'),
                          variant_dir=os.path.join('build', 'components'), duplicate=0)
    return objects


def DoBuilding(target, objects):
    Default(Env.Program(target, sorted(Env.Object(objects), key=str)))
