# The build of the addon where there is no cmake (run by scripts/build_native.mjs). Sources and flags come from
# native/sources.json, as in CMakeLists.txt. gyp has no flags per file, so each instruction set is a static library;
# only their names are written out here.
{
  'variables': {
    'sources': "require('./native/sources.json')",
  },
  'target_defaults': {
    'cflags': ['-Wall', '-Wextra', '-ffp-contract=off', '-fvisibility=hidden'],
    'cflags_cc': ['-std=c++17', '-fvisibility-inlines-hidden', '-fexceptions'],
    'cflags_cc!': ['-fno-exceptions', '-std=gnu++17', '-std=gnu++20'],
    'xcode_settings': {
      'OTHER_CFLAGS': ['-Wall', '-Wextra', '-ffp-contract=off'],
      'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
      'GCC_ENABLE_CPP_EXCEPTIONS': 'YES',
      'CLANG_CXX_LANGUAGE_STANDARD': 'c++17',
      'MACOSX_DEPLOYMENT_TARGET': '11.0',
    },
    'msvs_settings': { 'VCCLCompilerTool': { 'ExceptionHandling': 1, 'AdditionalOptions': ['/std:c++17', '/fp:precise'] } },
  },
  'conditions': [
    ['target_arch=="x64"', {
      'variables': { 'isa_libraries': ['sse2', 'avx2', 'avx512'] },
      'targets': [
        {
          'target_name': 'sse2',
          'defines': ['ANNEAL_ISA=sse2'],
          'type': 'static_library',
          'sources': ['<!@(node -p "[...<(sources).kernels, ...<(sources).isa.x64.find(i => i.name === \'sse2\').sources].join(\' \')")'],
          'cflags': ['<!@(node -p "<(sources).isa.x64.find(i => i.name === \'sse2\').flags.join(\' \')")'],
          'xcode_settings': { 'OTHER_CFLAGS': ['<!@(node -p "<(sources).isa.x64.find(i => i.name === \'sse2\').flags.join(\' \')")'] },
        },
        {
          'target_name': 'avx2',
          'defines': ['ANNEAL_ISA=avx2'],
          'type': 'static_library',
          'sources': ['<!@(node -p "[...<(sources).kernels, ...<(sources).isa.x64.find(i => i.name === \'avx2\').sources].join(\' \')")'],
          'cflags': ['<!@(node -p "<(sources).isa.x64.find(i => i.name === \'avx2\').flags.join(\' \')")'],
          'xcode_settings': { 'OTHER_CFLAGS': ['<!@(node -p "<(sources).isa.x64.find(i => i.name === \'avx2\').flags.join(\' \')")'] },
          'msvs_settings': { 'VCCLCompilerTool': { 'AdditionalOptions': ['<!@(node -p "<(sources).isa.x64.find(i => i.name === \'avx2\').msvc.join(\' \')")'] } },
        },
        {
          'target_name': 'avx512',
          'defines': ['ANNEAL_ISA=avx512'],
          'type': 'static_library',
          'sources': ['<!@(node -p "[...<(sources).kernels, ...<(sources).isa.x64.find(i => i.name === \'avx512\').sources].join(\' \')")'],
          'cflags': ['<!@(node -p "<(sources).isa.x64.find(i => i.name === \'avx512\').flags.join(\' \')")'],
          'xcode_settings': { 'OTHER_CFLAGS': ['<!@(node -p "<(sources).isa.x64.find(i => i.name === \'avx512\').flags.join(\' \')")'] },
          'msvs_settings': { 'VCCLCompilerTool': { 'AdditionalOptions': ['<!@(node -p "<(sources).isa.x64.find(i => i.name === \'avx512\').msvc.join(\' \')")'] } },
        },
      ],
    }],
    ['target_arch=="arm64"', {
      'variables': { 'isa_libraries': ['neon'] },
      'targets': [
        {
          'target_name': 'neon',
          'defines': ['ANNEAL_ISA=neon'],
          'type': 'static_library',
          'sources': ['<!@(node -p "[...<(sources).kernels, ...<(sources).isa.arm64.find(i => i.name === \'neon\').sources].join(\' \')")'],
          'cflags': ['<!@(node -p "<(sources).isa.arm64.find(i => i.name === \'neon\').flags.join(\' \')")'],
        },
      ],
    }],
  ],
  'targets': [
    {
      'target_name': 'anneal',
      'sources': ['<!@(node -p "[...<(sources).binding, ...<(sources).common, ...<(sources).threads].join(\' \')")'],
      'dependencies': ['<@(isa_libraries)'],
      'include_dirs': ['<!(node -p "process.env.ANNEAL_NODE_ADDON_API || require(\'node-addon-api\').include_dir")'],
      'defines': [
        'NAPI_VERSION=8',
        'NODE_ADDON_API_CPP_EXCEPTIONS_ALL',
        'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
        # The package's version, which the loader compares with its own (src/native/addon.ts).
        'ANNEAL_VERSION="<!(node -p "require(\'./package.json\').version")"',
      ],
      'conditions': [
        ['OS=="linux"', {
          'libraries': ['-ldl'],
          'ldflags': [
            '-static-libstdc++', '-Wl,--exclude-libs,ALL', '-Wl,--gc-sections', '-Wl,-z,now',
            '-Wl,--version-script=<(module_root_dir)/native/exports.map',
          ],
        }],
      ],
    },
  ],
}
