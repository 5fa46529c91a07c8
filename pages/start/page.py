"""Start: what a certificate is, in one picture (the paper's Figure 1), and where to go next.

The picture is drawn by the browser from stored geometry. Nothing heavy is imported before it is on the screen; the
digit at the foot comes after it.
"""

import streamlit as st

from pages.shared.keys import listen_to_keys
from pages.shared.shell import PAGES, footer, presenting
from pages.start.figure1_live import KEYS, certified_line, figure1_live, press
from pages.start.state import STATE

NETWORK, DIGIT = "mnist-1024-512", 0


@st.fragment
def live() -> None:
    """The draggable picture and what Python certifies at its point; it alone runs again when the point moves."""
    figure1_live()
    certified_line()
    STATE.write()


def picture() -> None:
    st.title("How far can an input move before the network changes its answer?")
    live()
    st.markdown(
        "Around an input **u**, a ReLU network is a plain linear map on a whole **region** with flat **faces**. "
        "Nothing inside the circle leaves the region or crosses a **boundary** between two answers, so nothing inside "
        "it changes the answer: its radius is the **safe radius**, a certificate that no attack can break."
    )


def page_links(but: str) -> None:
    """Links to the other pages that exist, each with what it is for."""
    with st.container(horizontal=True, gap="small"):
        for entry in PAGES:
            if entry.path != but:
                with st.container(border=True, width=262, key=f"card_{entry.url}"):
                    st.page_link(entry.path, label=f"**{entry.title}**", icon=entry.icon)
                    st.markdown(entry.purpose)


def links() -> None:
    others = [entry for entry in PAGES if entry.path != "pages/start/page.py"]
    if others:
        st.header("Where to go next")
        page_links("pages/start/page.py")


def first_digit() -> None:
    """A real digit: this is where the engine is loaded, with the picture already on the screen."""
    from pages.shared import engine
    from pages.shared.digit import gallery_digit
    from pages.shared.known import known
    from pages.shared.words import distance, headline, meaning
    from relucert_core.experiments.best_known import maker_titles
    from relucert_core.figures.digits import digit_png

    st.header("A real digit, certified")
    point, net = engine.as_point(gallery_digit(DIGIT).pixels), engine.network(NETWORK)
    best, titles = known(net, point, 2.0), maker_titles()
    with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        st.image(digit_png(point), width=120, alt="A handwritten 7")
        with st.container(width="stretch", key="verdict_start"):
            reads = engine.cards()[NETWORK].classes[best.label]
            st.markdown(f"### {headline(reads, best.lower, best.upper, 2.0, exact=best.exact)}")
            st.markdown(
                f"Inside the safe radius nothing changes the answer: {meaning(best.lower, 2.0)}. An attack changes it "
                f"at {distance(best.lower, best.upper, exact=best.exact)}; what happens between the two is unknown. "
                f"(Proved by: {titles[best.lower_by]}. Found by: {titles[best.upper_by]}.)"
            )
    with st.expander("The same in a few lines of Python"):
        st.code(start_code(), wrap_lines=True)


def start_code() -> str:
    """The code that prints the headline of the page's digit."""
    return (
        "import relucert_core as rc\n\n"
        f'net = rc.load_model("{NETWORK}")\n'
        f"print(rc.best_known(net, rc.mnist_sample()[0][{DIGIT}]))\n"
    )


STATE.open()
listen_to_keys(KEYS, press)
picture()
if not presenting():
    links()
    first_digit()
    from pages.shared.charts import numbers_behind

    with numbers_behind("the picture"):
        st.table(
            {
                "Case": ["(a)", "(b)"],
                "Nearest to the input": ["the boundary, inside the region", "a face of the region"],
                "Safe radius": ["distance to the boundary, exact", "distance to the face, a guaranteed lower bound"],
            }
        )
    footer()
