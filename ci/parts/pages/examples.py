# SPDX-License-Identifier: Apache-2.0
"""Pages that break one rule each, and pages that break none: for the test of the rules. Of two texts the second one is the
translation of the first."""

VIOLATIONS = {
    "c_that_does_not_compile": "```c\nint f(void) { return missing; }\n```",
    "c_with_a_warning": "```c\nint f(int unused) { return 0; }\n```",
    "a_command_that_fails": "```sh\nfalse\n```",
    "a_command_that_fails_in_the_middle": "```sh\ntrue\nls missing\ntrue\n```",
    "other_output": "```console\n$ echo one\ntwo\n```",
    "output_that_is_missing": "```console\n$ echo one\none\ntwo\n```",
    "a_script_without_the_command": "<!-- ci: run by ci/test -->\n```sh\nci/missing\n```",
    "a_script_that_does_not_exist": "<!-- ci: run by ci/missing -->\n```sh\nci/smoke\n```",
    "no_reason": "<!-- ci: not run: -->\n```sh\nfalse\n```",
    "an_unknown_comment": "<!-- ci: perhaps -->\n```sh\ntrue\n```",
    "an_indented_block": "text\n\n    ci/test\n",
    "no_language": "```\ntext\n```",
    "an_unknown_language": "```basic\n10 PRINT\n```",
    "wrong_python": "```python\nif:\n```",
    "wrong_toml": "```toml\na = \n```",
    "wrong_json": "```json\n{\n```",
    "wrong_kconfig": "```kconfig\nconfig\n```",
    "a_wrong_device_tree": "```dts\nnode {\n```",
    "rust_that_is_not_compiled": "```rust\nfn main() {}\n```",
    "rust_that_the_compiler_ignores": "```rust,ignore\nfn main() {}\n```",
    "a_command_in_a_text": "```text\n$ ci/test\n```",
    "a_command_of_the_shell_in_a_text": "```text\nmsh >list_dma_pool\n```",
    "a_path_to_no_file": "`ci/missing`",
    "a_file_that_does_not_exist": "`rt_dma_missing.h`",
    "a_table_of_folders_with_a_file_that_does_not_exist": "| folder or file | a |\n| --- | --- |\n| `missing.rs` | a |",
    "a_folder_that_does_not_exist": "`src/missing/`",
    "an_option_that_a_script_lacks": "`ci/bench --missing`",
    "a_test_that_does_not_exist": "`cargo test --test missing`",
    "a_function_that_does_not_exist": "| `rt_dma_missing` | a |\n| --- | --- |",
    "a_setting_that_does_not_exist": "`PKG_RT_DMA_POOL_USING_MISSING`",
    "a_link_to_no_file": "[a](missing.md)",
    "a_link_to_no_heading": "[a](README.md#missing)",
    "a_translation_without_a_heading": ("# a\n\n## b", "# a\n\nb"),
    "a_translation_without_a_row": ("| a | b |\n| --- | --- |\n| c | d |", "| a | b |\n| --- | --- |"),
    "a_translation_without_a_name": ("`rt_dma_alloc` and `rt_dma_free`", "`rt_dma_alloc`"),
    "a_translation_without_a_block": ("```sh\ntrue\n```", "true"),
    "a_translation_with_another_block": ("```sh\ntrue\n```", "```sh\nfalse\n```"),
    "a_link_in_a_translation_that_is_not_marked": ("[a](ci/README.md)", "[甲](ci/README.md)。"),
    "a_link_in_a_translation_to_a_translated_page": ("[a](README.md)", "[甲](README.md)（英文）"),
    "c_in_a_translation_that_does_not_compile": ("```c\nint f(void) { return missing; }\n```",) * 2,
}
SOUND = {
    "sound_blocks": "<!-- ci: with int g(void); -->\n```c\nint f(void) { return g(); }\n```\n```sh\nname=value\n```\n"
                    "```sh\ntest $name = value\n```\n```console\n$ printf 'one\\ntwo\\n0x1f\\n'\n...\ntwo\n0x<hex>\n```\n"
                    "```text\nanything\n```\n```dts\nnode { a = <1>; };\n```",
    "commands_that_a_script_runs": "<!-- ci: run by ci/test -->\n```sh\nci/smoke    # boots\n```",
    "names_that_exist": "`ci/bench --quick`, `rt_dma_port.h`, `docs/abi/VERSION.txt`, `rt_dma_sync_*`, "
                        "`rt_dma_alloc(dev, 1, 0, 0)`, `PKG_USING_RT_DMA_POOL`, `cargo test --test headers`, `src/dropin/`, `src/*.rs`",
    "a_table_of_folders": "| folder | a |\n| --- | --- |\n| `src/mem/` | `other` |",
    "a_link_to_a_heading": "[a](README.md#the-folders)",
    "a_translation": ("# a\n\n`rt_dma_free` ends [b](ci/README.md)\n```c\nint a; /* a number */\n```",
                      "# 甲\n\n`rt_dma_free` 结束 [乙](ci/README.md)（英文）\n```c\nint a; /* 数 */\n```"),
}
