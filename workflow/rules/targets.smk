# A rule per target, named like it: `snakemake --cores N ngc0628`.

for target_name in plan.targets:
    refuse_taken(target_name, rules)

    rule:
        name:
            target_name
        input:
            f"{OUT}/{target_name}/{target_name}_complete.txt",
            products_of([target_name]),
            anchored_images(target_name),
