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
    key, first = control("n", value)
    st.number_input("n", 0, 9, first, key=key, on_change=take)
    key, first = control("m", ["a", "b"])
    st.multiselect("m", ["a", "b"], first, key=key)
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


def test_the_value_is_the_controls_default_and_not_only_told_once():
    """A browser that gets two runs before it has drawn the control shows the default of the second one."""
    at = AppTest.from_function(script)
    at.session_state["value"] = 6
    for _ in range(2):
        at.run()
        assert (at.number_input(key="n").proto.default, at.number_input(key="n").value) == (6, 6)
    at.number_input(key="n").set_value(5).run()
    assert at.number_input(key="n").proto.default == 6, "the control stays the one that the visitor changed"


def test_a_control_that_was_gone_comes_back_with_the_present_value():
    def script():
        import streamlit as st

        from pages.shared.control import control

        st.session_state.setdefault("value", 1)
        if st.session_state.setdefault("there", True):
            key, first = control("n", st.session_state.value)
            st.number_input("n", 0, 9, first, key=key)

    at = AppTest.from_function(script).run()
    at.session_state["there"] = False
    at.run()
    at.session_state["there"], at.session_state["value"] = True, 4
    at.run()
    assert at.number_input[0].value == 4
    assert not at.exception
