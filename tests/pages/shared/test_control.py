"""Controls that Python changes: late values of the browser don't undo what was just set."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.pages.helpers import control


def script():
    import streamlit as st

    from pages.shared.control import control, reading

    st.session_state.setdefault("value", 1)
    st.session_state.setdefault("taken", [])

    def take():
        st.session_state.taken.append(reading("n"))
        st.session_state.value = reading("n")

    def reset():
        st.session_state.value = 1

    value = st.session_state.value
    st.number_input("n", 0, 9, key=control("n", value), on_change=take)
    st.multiselect("m", ["a", "b"], key=control("m", ["a", "b"]))
    st.button("reset", key="reset", on_click=reset)


def test_the_visitors_change_keeps_the_control_and_pythons_makes_a_new_one():
    at = AppTest.from_function(script).run()
    at.number_input(key="n").set_value(5).run()
    assert at.session_state["taken"] == [5]
    at.button(key="reset").click().run()
    assert [n.key for n in at.number_input] == ["n~1"]
    assert control(at, "number_input", "n").value == 1
    assert at.session_state["taken"] == [5], "the old value is not taken for a new wish"
    control(at, "number_input", "n").set_value(7).run()
    assert at.session_state["taken"] == [5, 7]
    at.button(key="reset").click().run()
    assert [n.key for n in at.number_input] == ["n~2"]
    assert not at.exception


def test_the_order_of_choices_makes_no_new_control():
    at = AppTest.from_function(script).run()
    at.multiselect(key="m").set_value(["b", "a"]).run()
    assert [m.key for m in at.multiselect] == ["m"]
