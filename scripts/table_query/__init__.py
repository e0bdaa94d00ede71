"""Questions to a table whose answer is a small table: conditions, groups, measures.

    Query     what is asked, as texts such as `amount > 100` and `sum amount`
    ask       the answer, in one pass over the rows
    describe  what the columns hold

A cell counts as a number where it is one, or reads as one in the way of its column:
1,234.50 or 1.234,50, with a currency or a percent sign too. Which sign groups digits
and which stands before decimals is told by the column as a whole; rows wait on disk
where a later cell has to show what an earlier one means. Where none does, `words` says
what was assumed. Numbers are exact; what begins with 0, as 007, is none. Blank cells
count in no measure.
"""
