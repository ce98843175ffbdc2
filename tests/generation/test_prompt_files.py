from generation.conditioning.prompt_files import read_prompts


def reasons(text: str) -> dict[int, str]:
    return {row.number: row.reason for row in read_prompts(text).bad_rows}


def test_prompts_come_one_a_line_and_empty_lines_do_not_count() -> None:
    read = read_prompts("\ufeffedema, AP view\n\n  effusion  \r\n")
    assert read.prompts == ("edema, AP view", "effusion")
    assert not read.bad_rows


def test_a_first_line_of_columns_makes_it_csv() -> None:
    read = read_prompts("Findings,Sex,Age,View\nedema|effusion,F,60,ap\nno finding,male,,\n")
    assert read.prompts == (
        "chest x-ray, edema, effusion, AP view, female, 60 years",
        "chest x-ray, no finding, male",
    )


def test_a_column_of_prompts_is_taken_as_it_is_and_built_where_it_is_empty() -> None:
    read = read_prompts('prompt,findings\n"large effusion, AP",\n,mass\n')
    assert read.prompts == ("large effusion, AP", "chest x-ray, mass")


def test_every_bad_row_is_named_with_its_line_and_the_good_ones_stay() -> None:
    text = (
        "prompt,findings,sex,age,view\n"
        ",flu,,,\n"
        ",edema,X,,\n"
        ",edema,,old,\n"
        ",edema,,,sideways\n"
        ",no finding|edema,,,\n"
        ",,,,F\n"
        "a,b,c,d,e,f\n"
        "good,,,,\n"
        "good,,,,\n"
    )
    assert read_prompts(text).prompts == ("good",)
    assert reasons(text) == {
        2: "“flu” is no finding that is known",
        3: "“x” is no sex that is known: F or M",
        4: "“old” is no age in whole years",
        5: "“sideways” is no view that is known: PA, AP, lateral",
        6: "“no finding” goes with no other finding",
        7: "neither a prompt nor findings",
        8: "6 cells under 5 columns: put quotes around commas",
        10: "the same prompt is in line 9",
    }


def test_over_long_and_unreadable_prompts_are_bad_rows() -> None:
    assert "the most" in reasons("x" * 1_001)[1]
    assert reasons("bell\x07")[1] == "it has a character that cannot be shown"
