"""The smart cut: encodes only what lies outside whole closed GOPs, copies the packets between.

    cut        the one entry: `smart_cut`; raises NotCopyable before it writes anything
    facts      what of a source matters, and `can_be_copied`, which says why not
    closed     the first keyframe of a clip at which decoding may start afresh (IDR)
    middle     the longest run of packets from there whose pictures are shown without a hole
    edges      libx264 for the frames before and behind, with a parameter set of its own
    sound      AAC of what `hearing` reads
    nal, parameters      H.264 as MP4 stores it (ISO 14496-15)
    boxes, movie         the MP4 file (ISO 14496-12), its index at the front

One sample entry (`avc1`) lists the parameter sets of the source and of the edges under different numbers, so a player
may start at any keyframe, and no set stands between the pictures.
"""
