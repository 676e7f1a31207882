"""Colours that people tell apart whatever their colour vision, on a light and on a dark page.

The palette is Okabe and Ito's (Color Universal Design, 2008). Nothing is told by colour alone: good and bad also differ
in words, and are blue and vermillion, never green and red.
"""

BLUE = "#0072B2"
VERMILLION = "#D55E00"
GREEN = "#009E73"
PURPLE = "#CC79A7"
ORANGE = "#E69F00"
SKY = "#56B4E9"
GREY = "#8C8C8C"

GOOD = BLUE
NOTICE = ORANGE
BAD = VERMILLION
NEUTRAL = GREY
