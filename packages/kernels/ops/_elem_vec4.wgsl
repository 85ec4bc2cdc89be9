// Four neighbouring numbers at a time: one memory access instead of four.
alias Elem = vec4f;
